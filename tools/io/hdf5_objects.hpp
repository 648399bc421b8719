// tools/io/hdf5_objects.hpp: finding one's way in an HDF5 file that may be damaged. Runs in the child, like
// hdf5_child.hpp.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "hdf5_handle.hpp"
#include "numbers.hpp"

namespace tool::hdf5 {

inline constexpr const char* undamaged = "an undamaged HDF5 file is needed";

/// Gives up with what libhdf5 has to say, after it failed at `doing`.
[[noreturn]] void give_up(const char* doing);

/// A damaged file may show at any call, so the result of each goes through here.
template <class T>
T worked(T result, const char* doing) {
  if (result < 0) give_up(doing);
  return result;
}

/// For reading, so that the file can lead to no other file and no code.
Handle open_file(const std::string& path);

/// "uint8", "compound".
std::string type_text(hid_t type);
/// Nothing for a null dataspace.
std::optional<Shape> shape_of(hid_t space);

/// `dataset` is negative for an object that cannot be opened, whatever it is: it must not hide the others.
using Visit = std::function<void(const std::string& name, hid_t dataset)>;

void visit_datasets(hid_t file, std::size_t at_most, const Visit& visit);

/// Gives up, with a list of those there, where `key` is no dataset in the file itself.
Handle open_dataset(hid_t file, const std::string& key);

}  // namespace tool::hdf5
