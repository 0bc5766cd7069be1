/** Threads that help with a forward pass; helpers.h describes how they share it. */
#include "helpers.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <system_error>

#include "floating-point.h"

namespace embedmill {
namespace {

using Clock = std::chrono::steady_clock;

/** Time without a step after which a helper sleeps: the caller has probably lost its core. */
constexpr std::chrono::microseconds MAX_IDLE{1000};

/** Time after which a wait lets other threads run: the awaited one may need this core. */
constexpr std::chrono::microseconds MAX_SPIN{20};

/** A run that waited longer than this share of its time for helpers is followed by runs without them. */
constexpr int MAX_WAIT_SHARE = 4, REST_RUNS = 32;

/** One turn of a wait that began at `start`. */
void waitTurn(Clock::time_point start) {
  if (Clock::now() > start + MAX_SPIN) return std::this_thread::yield();
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/** Waits, without sleep at first; returns the time it took. */
template <class Condition>
Clock::duration spinUntil(Condition &&condition) {
  if (condition()) return {};
  const auto start = Clock::now();
  while (!condition()) waitTurn(start);
  return Clock::now() - start;
}

uint64_t ticketsOf(uint64_t call, int count) { return call << 32 | uint64_t(count) << 16; }
int countOf(uint64_t tickets) { return int(tickets >> 16 & 0xffff); }
int nextOf(uint64_t tickets) { return int(tickets & 0xffff); }

}  // namespace

Helpers::Helpers(int threads) : threads(threads) {
  const size_t count = size_t(std::min(threads, MAX_RUN_THREADS)) - 1;
  try {
    while (helpers.size() < count) helpers.emplace_back(&Helpers::help, this, helpers.size());
  } catch (const std::system_error &) {
    // The limit of threads is reached: fewer helpers.
  }
}

Helpers::~Helpers() {
  {
    const std::lock_guard lock(mutex);
    isStopping = true;
  }
  wake.notify_all();
  for (std::thread &helper : helpers) helper.join();
}

std::shared_ptr<Helpers> Helpers::shared(int threads) {
  static std::mutex mutex;
  static std::map<int, std::weak_ptr<Helpers>> all;
  const std::lock_guard lock(mutex);
  if (auto known = all[threads].lock()) return known;
  auto made = std::make_shared<Helpers>(threads);
  all[threads] = made;
  return made;
}

/** The open run with the fewest helpers; null when there is none, or the threads are busy. */
HelpedRuns *Helpers::runToJoin() const {
  if (open.empty() || busy.load(std::memory_order_relaxed) >= threads) return nullptr;
  return *std::min_element(open.begin(), open.end(),
                           [](const HelpedRuns *a, const HelpedRuns *b) { return a->present < b->present; });
}

/** Counts a run without helpers, if it is one of those after a run that waited for them. */
bool Helpers::mustRest() {
  int left = rest.load(std::memory_order_relaxed);
  while (left > 0)
    if (rest.compare_exchange_weak(left, left - 1, std::memory_order_relaxed)) return true;
  return false;
}

void Helpers::help(size_t place) {
  const FloatingPoint environment;
  std::unique_lock lock(mutex);
  for (;;) {
    HelpedRuns *runs = nullptr;
    wake.wait(lock, [&] { return isStopping || (runs = runToJoin()) != nullptr; });
    if (isStopping) return;
    runs->present.fetch_add(1, std::memory_order_relaxed);
    busy.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    const bool mayReturn = runs->assist(place);
    lock.lock();
    busy.fetch_sub(1, std::memory_order_relaxed);
    if (!mayReturn) std::erase(open, runs);
    // The last access: `runs` may be gone afterwards.
    runs->present.fetch_sub(1, std::memory_order_release);
  }
}

HelpedRuns::~HelpedRuns() { awaitAbsence(); }

void HelpedRuns::awaitAbsence() {
  spinUntil([&] { return present.load(std::memory_order_acquire) == 0; });
}

void HelpedRuns::begin(const Model &model, Scratch &newScratch, bool isShared) {
  isShared = isShared && !helpers->helpers.empty() && !helpers->mustRest();
  if (isShared && spaceRows != newScratch.rows) {
    awaitAbsence();
    spaces.clear();
    while (spaces.size() < helpers->helpers.size())
      spaces.push_back(std::make_unique<Workspace>(model, newScratch.rows));
    spaceRows = newScratch.rows;
  }
  scratch = &newScratch;
  const int busy = helpers->busy.fetch_add(1, std::memory_order_relaxed) + 1;
  if (!isShared) return;
  startedAt = Clock::now();
  waited = {};
  scratch->steps = this;
  isOpen.store(true, std::memory_order_relaxed);
  {
    const std::lock_guard lock(helpers->mutex);
    helpers->open.push_back(this);
  }
  for (int i = std::min(helpers->threads - busy, int(spaces.size())); i > 0; i--) helpers->wake.notify_one();
}

void HelpedRuns::end() {
  if (scratch->steps) {
    scratch->steps = nullptr;
    isOpen.store(false, std::memory_order_relaxed);
    {
      const std::lock_guard lock(helpers->mutex);
      std::erase(helpers->open, this);
    }
    if (waited * MAX_WAIT_SHARE > Clock::now() - startedAt) helpers->rest.store(REST_RUNS, std::memory_order_relaxed);
  }
  helpers->busy.fetch_sub(1, std::memory_order_relaxed);
}

void HelpedRuns::each(int count, Step *newStep, void *newContext) {
  step = newStep;
  context = newContext;
  done.store(0, std::memory_order_relaxed);
  const uint64_t call = (tickets.load(std::memory_order_relaxed) >> 32) + 1;
  tickets.store(ticketsOf(call, count), std::memory_order_release);
  while (takeStep(scratch->own)) continue;
  waited += spinUntil([&] { return done.load(std::memory_order_acquire) == count; });
}

/** Runs the next step of the current call; false if there is none. */
bool HelpedRuns::takeStep(Workspace &space) {
  uint64_t found = tickets.load(std::memory_order_acquire);
  do {
    if (nextOf(found) >= countOf(found)) return false;
  } while (!tickets.compare_exchange_weak(found, found + 1, std::memory_order_acq_rel, std::memory_order_acquire));
  step(context, nextOf(found), space);
  done.fetch_add(1, std::memory_order_release);
  return true;
}

/** Takes steps until no run is open or too many threads compute; false if there was no step for long. */
bool HelpedRuns::assist(size_t place) {
  auto lastStep = Clock::now();
  while (isOpen.load(std::memory_order_relaxed) && helpers->busy.load(std::memory_order_relaxed) <= helpers->threads) {
    if (takeStep(*spaces[place])) {
      helperSteps.fetch_add(1, std::memory_order_relaxed);
      lastStep = Clock::now();
    } else if (Clock::now() < lastStep + MAX_IDLE)
      waitTurn(lastStep);
    else
      return false;
  }
  return true;
}

}  // namespace embedmill
