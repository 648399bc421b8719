#include "hdf5_reader.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "hdf5_child.hpp"
#include "input_file.hpp"
#include "refused.hpp"

namespace tool {

namespace {

using hdf5::Head;
namespace tag = hdf5::tag;

constexpr const char* undamaged = "an undamaged HDF5 file is needed";
constexpr std::uint64_t most_in_frame = sizeof(Head) + 2 * hdf5::max_text;
using Why = ChildFailed::Why;

/// The file's size, after what can be said without libhdf5.
std::uint64_t examined(const std::filesystem::path& path) {
  const InputFile file(path);
  if (!file.is_hdf5()) throw Refused("not an HDF5 file", path.string(), "an HDF5 file is needed here");
  if (file.is_locked()) {
    throw Refused("another program has the file open for writing", path.string(), "close the file there first");
  }
  return file.size();
}

/// Runs `talk` with the parent's end, and turns what becomes of the child into the one error there is.
template <class Talk>
auto with_child(const Limits& limits, const std::string& where, const std::function<void(Sender&)>& work, Talk&& talk) {
  try {
    Isolated child(limits, work);
    return talk(child);
  } catch (const ChildFailed& failed) {
    if (failed.why == Why::not_started) {
      throw Refused(std::string("reading HDF5 ") + failed.what(), where, "the system must allow a child process");
    }
    throw Refused(std::string("damaged HDF5 file: reading it ") + failed.what(), where, undamaged);
  } catch (const std::bad_alloc&) {
    throw Refused("its values do not fit into memory", where, "more memory, or a smaller dataset");
  }
}

[[noreturn]] void nonsense() { throw ChildFailed(Why::garbled, "makes the library answer nonsense"); }

/// The next frame that is not a refusal.
Isolated::Frame expect(Isolated& child, const std::string& where, std::uint64_t at_most) {
  const Isolated::Frame frame = child.next(std::max(at_most, most_in_frame));
  if (frame.tag != tag::gave_up) return frame;
  if (frame.bytes > most_in_frame) nonsense();
  const std::string message = child.read_text(static_cast<std::size_t>(frame.bytes));
  const auto end = message.find('\0');
  if (end == std::string::npos) nonsense();
  std::string right = message.substr(end + 1);
  for (char& c : right) {
    if (c >= 0 && c < 0x20) c = '?';
  }
  throw Refused(one_line(message.substr(0, end)), where, right);
}

Shape shape_in(const Head& head) {
  if (head.rank > hdf5::max_rank) nonsense();
  return {head.size.begin(), head.size.begin() + static_cast<std::ptrdiff_t>(head.rank)};
}

template <class T>
std::vector<T> received(Isolated& child, const std::string& where, std::size_t count) {
  std::vector<T> values;
  values.reserve(count);
  // Memory is touched as values come, not as they are promised.
  while (values.size() < count) {
    const std::size_t most = std::min(hdf5::values_per_frame, count - values.size());
    const Isolated::Frame frame = expect(child, where, most * sizeof(T));
    if (frame.tag != tag::values || frame.bytes == 0 || frame.bytes % sizeof(T) || frame.bytes > most * sizeof(T))
      nonsense();
    const std::size_t before = values.size();
    values.resize(before + static_cast<std::size_t>(frame.bytes) / sizeof(T));
    child.read(values.data() + before, static_cast<std::size_t>(frame.bytes));
  }
  if (expect(child, where, 0).tag != tag::complete) nonsense();
  return values;
}

template <std::size_t I = 0>
Numbers received_kind(std::uint64_t kind, Isolated& child, const std::string& where, std::size_t count,
                      std::size_t most) {
  if constexpr (I < std::variant_size_v<Numbers>) {
    if (kind != I) return received_kind<I + 1>(kind, child, where, count, most);
    using T = typename std::variant_alternative_t<I, Numbers>::value_type;
    if (count > most / sizeof(T)) nonsense();
    child.extend(hdf5::further_limits(count * sizeof(T)).wall_seconds);
    return received<T>(child, where, count);
  } else {
    nonsense();
  }
}

/// gzip reaches 1:1032. 64 MB more leave room for chunks that were never written; more of them cost seconds and
/// memory in a file of a kilobyte, before anybody asks whether its shape makes sense.
std::size_t most_from(std::uint64_t file_bytes) {
  constexpr std::uint64_t unwritten = std::uint64_t{64} << 20, limit = std::uint64_t{1} << 50;
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(most_bytes(), unwritten + 4096 * std::min(file_bytes, limit)));
}

}  // namespace

std::string dataset_text(const std::filesystem::path& path, const std::string& key) {
  return "dataset " + one_line(key) + " of " + path.string();
}

std::size_t most_believed(const std::filesystem::path& path) { return most_from(examined(path)); }

std::vector<DatasetInfo> list_datasets(const std::filesystem::path& path, const std::optional<Limits>& limits) {
  const Limits allowed = limits.value_or(hdf5::reading_limits(examined(path)));
  const std::string where = path.string();
  const auto work = [&](Sender& to) { hdf5::child_lists(to, where); };
  return with_child(allowed, where, work, [&](Isolated& child) {
    std::vector<DatasetInfo> all;
    for (;;) {
      const Isolated::Frame frame = expect(child, where, most_in_frame);
      if (frame.tag == tag::complete) break;
      if (frame.tag != tag::listed || frame.bytes < sizeof(Head) || all.size() == hdf5::max_listed) nonsense();
      Head head;
      child.read(&head, sizeof head);
      const std::string names = child.read_text(static_cast<std::size_t>(frame.bytes) - sizeof head);
      const auto end = names.find('\0');
      if (end == std::string::npos) nonsense();
      all.push_back({names.substr(0, end), shape_in(head), names.substr(end + 1)});
    }
    std::sort(all.begin(), all.end(), [](const DatasetInfo& a, const DatasetInfo& b) { return a.name < b.name; });
    return all;
  });
}

NumberArray read_dataset(const std::filesystem::path& path, const std::string& key,
                         const std::optional<Limits>& limits) {
  const std::string where = dataset_text(path, key);
  if (key.empty() || key.size() >= hdf5::max_text || key.find('\0') != std::string::npos) {
    throw Refused("this cannot be a dataset's name", where, "give the name of a dataset in the file");
  }
  const std::uint64_t file_bytes = examined(path);
  const std::size_t most = most_from(file_bytes);
  const auto work = [&](Sender& to) { hdf5::child_reads(to, path.string(), key, most); };
  return with_child(limits.value_or(hdf5::reading_limits(file_bytes)), where, work,
                    [&](Isolated& child) -> NumberArray {
                      const Isolated::Frame frame = expect(child, where, sizeof(Head));
                      if (frame.tag != tag::head || frame.bytes != sizeof(Head)) nonsense();
                      Head head;
                      child.read(&head, sizeof head);
                      const Shape shape = shape_in(head);
                      const std::optional<std::size_t> count = element_count(shape);
                      if (!count || *count == 0) nonsense();
                      return {shape, received_kind(head.kind, child, where, *count, most)};
                    });
}

Array<float> read_float(const std::filesystem::path& path, const std::string& key) {
  return converted<float>(read_dataset(path, key), dataset_text(path, key), "a number that float32 can hold");
}

Array<double> read_double(const std::filesystem::path& path, const std::string& key) {
  return converted<double>(read_dataset(path, key), dataset_text(path, key), "a number that float64 can hold");
}

Array<std::int64_t> read_integers(const std::filesystem::path& path, const std::string& key) {
  return converted<std::int64_t>(read_dataset(path, key), dataset_text(path, key), "a whole number of 64 bits");
}

}  // namespace tool
