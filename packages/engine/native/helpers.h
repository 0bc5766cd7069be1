/**
 * Threads that run steps of a forward pass beside the thread that called it, while cores are idle.
 *
 * A run begins alone. Helpers that sleep are woken, take steps as long as there are any, and sleep again when the run
 * is over. No step waits for a helper: the calling thread takes every step that no helper has taken. So the time to
 * wake a helper costs nothing, and the bytes do not depend on who ran what, because steps write different memory.
 *
 * All runs of the process are counted, with helpers or without. A helper joins and stays only while runs and helpers
 * together are not more than the threads that this process may keep busy; it checks this after each step. Where other
 * processes want the cores, a helper may lose its own in the middle of a step, and its run waits: after such a run the
 * next ones get no helpers.
 */
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "kernel.h"

namespace embedmill {

class HelpedRuns;

/** Maximum threads that compute one run. */
constexpr int MAX_RUN_THREADS = 4;

/** The helpers of a process. */
class Helpers {
 public:
  /** Starts the helpers. @param threads maximum threads that compute at the same time, callers included; at least 2 */
  explicit Helpers(int threads);
  /** Waits for the helpers to exit. */
  ~Helpers();
  Helpers(const Helpers &) = delete;

  /** The helpers of this process for so many threads: one set for all callers, which ends with the last of them. */
  static std::shared_ptr<Helpers> shared(int threads);

 private:
  friend HelpedRuns;
  void help(size_t place);
  HelpedRuns *runToJoin() const;
  bool mustRest();

  const int threads;
  /** Runs and helpers that compute. */
  std::atomic<int> busy{0};
  /** Runs until helpers may join again. */
  std::atomic<int> rest{0};
  std::mutex mutex;
  std::condition_variable wake;
  /** Runs that helpers may join; guarded by the mutex. */
  std::vector<HelpedRuns *> open;
  bool isStopping = false;
  std::vector<std::thread> helpers;
};

/**
 * The runs of one caller, one after the other. Each is counted from `begin` to `end`; a helper that has not noticed the
 * end is inside the next one.
 */
class HelpedRuns final : public Steps {
 public:
  explicit HelpedRuns(std::shared_ptr<Helpers> helpers) : helpers(std::move(helpers)) {}
  ~HelpedRuns();
  HelpedRuns(const HelpedRuns &) = delete;

  /** Begins a run with this scratch memory. @param isShared whether helpers may join; it is only counted otherwise */
  void begin(const Model &model, Scratch &scratch, bool isShared);
  void end();

  /** Steps that helpers have run so far. */
  long stepsOfHelpers() const { return helperSteps.load(std::memory_order_relaxed); }

  void each(int count, Step *step, void *context) override;
  int threads() const override { return int(spaces.size()) + 1; }

 private:
  friend Helpers;
  using Clock = std::chrono::steady_clock;
  bool takeStep(Workspace &space);
  bool assist(size_t place);
  void awaitAbsence();

  const std::shared_ptr<Helpers> helpers;
  Scratch *scratch = nullptr;
  /** Memory of each helper, for packs of `spaceRows` tokens; changed only while no helper is present. */
  std::vector<std::unique_ptr<Workspace>> spaces;
  int spaceRows = 0;
  Clock::time_point startedAt;
  /** Time in which the caller had no step and waited for those of helpers. */
  Clock::duration waited;
  /** Steps of the current call of `each`; written before `tickets`, so that whoever takes a ticket may read them. */
  Step *step = nullptr;
  void *context = nullptr;
  /** Number of the call of `each` (32 bits), its steps (16 bits) and the next one to take (16 bits). */
  std::atomic<uint64_t> tickets{0};
  std::atomic<int> done{0};
  /** Whether a run is in progress that helpers may join. */
  std::atomic<bool> isOpen{false};
  std::atomic<long> helperSteps{0};
  /** Helpers inside a run; grows only under the mutex, while the run is open. */
  std::atomic<int> present{0};
};

}  // namespace embedmill
