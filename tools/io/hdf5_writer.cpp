#include "hdf5_writer.hpp"

#include <algorithm>
#include <stdexcept>
#include <type_traits>

#include "hdf5_handle.hpp"
#include "isolated.hpp"
#include "output_file.hpp"
#include "refused.hpp"

// Why in a child, as for reading, though the data are our own: on a full disk H5Fclose fails and leaves the file open
// inside the library, which then complains on standard error when the program ends. And so no other process than a
// child ever holds the state of libhdf5, which makes fork safe (isolated.hpp).

namespace tool {

namespace {

using hdf5::GivenUp;
using hdf5::Handle;

hid_t worked(hid_t result) {
  if (result < 0) throw GivenUp{hdf5::last_error(), ""};
  return result;
}

template <class T>
hid_t type_of() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
}

void write_attribute(hid_t object, const std::string& name, const std::string& value) {
  const Handle type(worked(H5Tcopy(H5T_C_S1)), H5Tclose);
  worked(H5Tset_size(type, H5T_VARIABLE));  // the kind that h5py gives back as str
  worked(H5Tset_cset(type, H5T_CSET_UTF8));
  const Handle space(worked(H5Screate(H5S_SCALAR)), H5Sclose);
  const Handle attribute(worked(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT)), H5Aclose);
  const char* text = value.c_str();
  worked(H5Awrite(attribute, type, &text));
}

template <class T>
void write_attribute(hid_t object, const std::string& name, T value) {
  const Handle space(worked(H5Screate(H5S_SCALAR)), H5Sclose);
  const Handle attribute(worked(H5Acreate2(object, name.c_str(), type_of<T>(), space, H5P_DEFAULT, H5P_DEFAULT)),
                         H5Aclose);
  worked(H5Awrite(attribute, type_of<T>(), &value));
}

void write_attributes(hid_t object, const Attributes& attributes) {
  for (const auto& [name, value] : attributes) {
    std::visit([&, &key = name](const auto& v) { write_attribute(object, key, v); }, value);
  }
}

/// Whole rows of the last axes, as many as make up to a megabyte.
std::vector<hsize_t> chunk_of(const Shape& shape, std::size_t bytes) {
  constexpr std::size_t aim = std::size_t{1} << 20;
  std::vector<hsize_t> chunk(shape.size(), 1);
  for (std::size_t axis = shape.size(), block = bytes; axis-- > 0;) {
    chunk[axis] = std::clamp<hsize_t>(aim / block, 1, shape[axis]);
    block *= chunk[axis];
  }
  return chunk;
}

void write_dataset(hid_t file, const OutputDataset& dataset, const Hdf5Options& options) {
  std::visit(
      [&](const auto& values) {
        using T = typename std::remove_cvref_t<decltype(values)>::value_type;
        const std::vector<hsize_t> sizes(dataset.shape.begin(), dataset.shape.end());
        const Handle space(
            worked(sizes.empty() ? H5Screate(H5S_SCALAR)
                                 : H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr)),
            H5Sclose);
        const Handle layout(worked(H5Pcreate(H5P_DATASET_CREATE)), H5Pclose);
        worked(H5Pset_obj_track_times(layout, false));  // a time of day would make every file another one
        if (options.gzip > 0 && !sizes.empty() && !values.empty()) {
          worked(H5Pset_chunk(layout, static_cast<int>(sizes.size()), chunk_of(dataset.shape, sizeof(T)).data()));
          worked(H5Pset_shuffle(layout));
          worked(H5Pset_deflate(layout, static_cast<unsigned>(options.gzip)));
        }
        const Handle links(worked(H5Pcreate(H5P_LINK_CREATE)), H5Pclose);
        worked(H5Pset_create_intermediate_group(links, 1));
        Handle id(worked(H5Dcreate2(file, dataset.name.c_str(), type_of<T>(), space, links, layout, H5P_DEFAULT)),
                  H5Dclose);
        worked(H5Dwrite(id, type_of<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
        write_attributes(id, dataset.attributes);
        if (!id.closed()) worked(-1);
      },
      dataset.values);
}

void write_file(const std::string& path, const std::vector<OutputDataset>& datasets, const Attributes& attributes,
                const Hdf5Options& options) {
  hdf5::be_silent();
  const Handle access(worked(H5Pcreate(H5P_FILE_ACCESS)), H5Pclose);
  worked(H5Pset_fapl_sec2(access));
#if H5_VERSION_GE(1, 10, 7)
  worked(H5Pset_file_locking(access, true, true));  // not every file system has locks
#endif
  Handle file(worked(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access)), H5Fclose);
  for (const OutputDataset& dataset : datasets) write_dataset(file, dataset, options);
  write_attributes(file, attributes);
  worked(H5Fflush(file, H5F_SCOPE_GLOBAL));
  if (!file.closed()) worked(-1);
}

}  // namespace

void write_hdf5(const std::filesystem::path& path, const std::vector<OutputDataset>& datasets,
                const Attributes& attributes, const Hdf5Options& options) {
  for (const OutputDataset& dataset : datasets) {
    const std::size_t count = std::visit([](const auto& values) { return values.size(); }, dataset.values);
    // A mistake of the caller, not of the user.
    if (element_count(dataset.shape) != count)
      throw std::logic_error("write_hdf5: shape and values of " + dataset.name);
  }
  OutputFile output(path);
  constexpr char written = 'W', failed = 'F';
  try {
    Isolated child({}, [&](Sender& to) {
      try {
        write_file(output.path().string(), datasets, attributes, options);
        to.send(written, "");
      } catch (const GivenUp& reason) {
        to.send(failed, one_line(reason.what));
      }
    });
    const Isolated::Frame frame = child.next(4096);
    if (frame.tag != written) output.failed(child.read_text(static_cast<std::size_t>(frame.bytes)));
  } catch (const ChildFailed& problem) {
    if (problem.why != ChildFailed::Why::not_started) output.failed(std::string("writing it ") + problem.what());
    throw Refused(std::string("writing HDF5 ") + problem.what(), path.string(),
                  "the system must allow a child process");
  }
  output.commit();
}

}  // namespace tool
