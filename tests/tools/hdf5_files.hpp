// HDF5 files that our own writer would never write, made with libhdf5 itself, in a child: the process under test has
// no state of the library, as the tool has none.
#pragma once

#include <hdf5.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "../../tools/io/isolated.hpp"

namespace support {

inline void in_child(const std::function<void()>& work) {
  tool::Isolated child({}, [&](tool::Sender& to) {
    work();
    to.send('.', "");
  });
  child.next(0);
}

inline hid_t good(hid_t id) {
  if (id < 0) throw std::runtime_error("libhdf5");
  return id;
}

/// `fill` gets the open file. `latest`: the newest format that the library writes, which has checksums.
inline void make_hdf5(const std::filesystem::path& path, const std::function<void(hid_t)>& fill, bool latest = false) {
  in_child([&] {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);  // whatever `fill` leaves open
    if (latest) H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    const hid_t file = good(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access));
    fill(file);
    H5Pclose(access);
    good(H5Fclose(file));
  });
}

/// A dataset of type `stored`, filled from `values` of type `memory` where given. `chunk` empty: contiguous.
inline void add_dataset(hid_t file, const std::string& name, hid_t stored, hid_t memory,
                        const std::vector<hsize_t>& shape, const void* values, const std::vector<hsize_t>& chunk = {},
                        int gzip = 0) {
  const hid_t space =
      shape.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t layout = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  if (!chunk.empty()) H5Pset_chunk(layout, static_cast<int>(chunk.size()), chunk.data());
  if (gzip) H5Pset_shuffle(layout), H5Pset_deflate(layout, static_cast<unsigned>(gzip));
  const hid_t id = good(H5Dcreate2(file, name.c_str(), stored, space, links, layout, H5P_DEFAULT));
  if (values) good(H5Dwrite(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  H5Dclose(id), H5Pclose(links), H5Pclose(layout), H5Sclose(space);
}

}  // namespace support
