#include "hdf5_objects.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "hdf5_child.hpp"

namespace tool::hdf5 {

namespace {

/// Depth first over hard links. A group that holds itself ends at the depth limit.
void walk(hid_t group, const std::string& prefix, int depth, std::size_t& left, const Visit& visit) {
  H5G_info_t info;
  worked(H5Gget_info(group, &info), "listing a group");
  for (hsize_t i = 0; i < info.nlinks && left > 0; ++i) {
    std::array<char, max_text> name{};
    const ssize_t length =
        worked(H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT),
               "listing a group");
    if (length >= static_cast<ssize_t>(name.size())) continue;
    H5L_info_t link;
    worked(H5Lget_info(group, name.data(), &link, H5P_DEFAULT), "listing a group");
    if (link.type != H5L_TYPE_HARD) continue;
    --left;
    const Handle object(H5Oopen(group, name.data(), H5P_DEFAULT), H5Oclose);
    const std::string path = prefix + name.data();
    if (!object.ok() || H5Iget_type(object) == H5I_DATASET) visit(path, object);
    if (object.ok() && H5Iget_type(object) == H5I_GROUP && depth < 16 && path.size() < max_text / 2) {
      walk(object, path + "/", depth + 1, left, visit);
    }
  }
}

std::string those_there(hid_t file) {
  std::vector<std::string> names;
  visit_datasets(file, max_listed, [&](const std::string& name, hid_t) { names.push_back(name); });
  if (names.empty()) return "there is no dataset in this file";
  std::sort(names.begin(), names.end());
  return "there is " + listed(names, 20);
}

}  // namespace

void give_up(const char* doing) {
  const std::string reason = last_error();
  // What h5py writes with libver="latest" is the newest of its own library, which may be years younger than this one.
  if (reason.find("version number") != std::string::npos) {
    throw GivenUp{"a newer format than this libhdf5 reads, or a damaged HDF5 file (" + reason + ")",
                  "save it again in the default format of HDF5"};
  }
  throw GivenUp{std::string("damaged HDF5 file (") + doing + ": " + reason + ")", undamaged};
}

Handle open_file(const std::string& path) {
  be_silent();
  // A file must not make us read another file, nor run code: no plugins for filters, no links to other files.
  H5PLset_loading_state(0);
  H5Lunregister(H5L_TYPE_EXTERNAL);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_sec2(access);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(access, true, true);  // not every file system has locks
#endif
  return {worked(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), "opening it"), H5Fclose};
}

std::string type_text(hid_t type) {
  const std::string bits = std::to_string(8 * H5Tget_size(type));
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return (H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int") + bits;
    case H5T_FLOAT:
      return "float" + bits;
    case H5T_ENUM:
      return "enumeration";
    case H5T_STRING:
      return "string";
    case H5T_COMPOUND:
      return "compound";
    case H5T_BITFIELD:
      return "bit field";
    case H5T_OPAQUE:
      return "opaque";
    case H5T_REFERENCE:
      return "reference";
    case H5T_VLEN:
      return "variable length";
    case H5T_ARRAY:
      return "array";
    case H5T_TIME:
      return "time";
    default:
      return "unknown";
  }
}

std::optional<Shape> shape_of(hid_t space) {
  const H5S_class_t kind = worked(H5Sget_simple_extent_type(space), "reading a shape");
  if (kind == H5S_NULL) return {};
  std::array<hsize_t, max_rank> size{};
  const int rank = worked(H5Sget_simple_extent_ndims(space), "reading a shape");
  if (rank > static_cast<int>(max_rank)) throw GivenUp{"damaged HDF5 file (too many dimensions)", undamaged};
  worked(H5Sget_simple_extent_dims(space, size.data(), nullptr), "reading a shape");
  return Shape(size.begin(), size.begin() + rank);
}

void visit_datasets(hid_t file, std::size_t at_most, const Visit& visit) { walk(file, "", 0, at_most, visit); }

/// One link after the other, as a path may stop existing at any of them.
Handle open_dataset(hid_t file, const std::string& key) {
  for (std::size_t end = 0; end < key.size();) {
    end = std::min(key.find('/', end + 1), key.size());
    const std::string part = key.substr(0, end);
    if (part.find_first_not_of('/') == std::string::npos) continue;
    if (H5Lexists(file, part.c_str(), H5P_DEFAULT) <= 0) throw GivenUp{"no such dataset", those_there(file)};
    H5L_info_t link;
    worked(H5Lget_info(file, part.c_str(), &link, H5P_DEFAULT), "following a link");
    if (link.type != H5L_TYPE_HARD && link.type != H5L_TYPE_SOFT) {
      throw GivenUp{"a link to another file", "the dataset must be in the file itself"};
    }
    if (link.type == H5L_TYPE_SOFT && H5Oexists_by_name(file, part.c_str(), H5P_DEFAULT) <= 0) {
      throw GivenUp{"a link to nothing in this file", those_there(file)};
    }
  }
  const Handle object(H5Oopen(file, key.empty() ? "/" : key.c_str(), H5P_DEFAULT), H5Oclose);
  worked(static_cast<hid_t>(object), "opening a dataset");
  if (H5Iget_type(object) != H5I_DATASET) throw GivenUp{"a group or type instead of a dataset", those_there(file)};
  return {worked(H5Dopen2(file, key.c_str(), H5P_DEFAULT), "opening a dataset"), H5Dclose};
}

}  // namespace tool::hdf5
