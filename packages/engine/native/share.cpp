/** One copy of the weights per process: threads that open the same file share them. */
#include <filesystem>
#include <map>
#include <mutex>
#include <tuple>

#include "model.h"

namespace embedmill {
namespace {

/** Path, size and time of change: a file that was replaced is another one. */
using FileVersion = std::tuple<std::string, uintmax_t, int64_t>;

FileVersion fileVersion(const std::string &path) {
  std::error_code error;
  const auto canonical = std::filesystem::canonical(path, error);
  const auto size = error ? 0 : std::filesystem::file_size(canonical, error);
  const auto time = error ? std::filesystem::file_time_type() : std::filesystem::last_write_time(canonical, error);
  if (error) throw ModelError("cannot read the weights \"" + path + "\": " + error.message());
  return {canonical.string(), size, int64_t(time.time_since_epoch().count())};
}

}  // namespace

std::shared_ptr<const Model> shareModel(const std::string &path) {
  static std::mutex mutex;
  static std::map<FileVersion, std::weak_ptr<const Model>> models;
  const std::lock_guard lock(mutex);
  const FileVersion version = fileVersion(path);
  if (auto model = models[version].lock()) return model;
  auto model = loadModel(path);
  std::erase_if(models, [](const auto &entry) { return entry.second.expired(); });
  models[version] = model;
  return model;
}

}  // namespace embedmill
