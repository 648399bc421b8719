#include "hdf5_child.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "hdf5_objects.hpp"
#include "numbers.hpp"

namespace tool::hdf5 {

namespace {

constexpr const char* plain = "a dataset of integers or floats is needed";

Head head_of(const Shape& shape) {
  Head head;
  head.rank = shape.size();
  std::copy(shape.begin(), shape.end(), head.size.begin());
  return head;
}

/// Storage that leads to other files. To be asked before the shape: that of a virtual dataset can depend on them.
void refuse_foreign_storage(hid_t properties) {
  if (worked(H5Pget_layout(properties), "reading a layout") == H5D_VIRTUAL) {
    throw GivenUp{"a virtual dataset (its values are in other files)", "the values must be in the file itself"};
  }
  if (H5Pget_layout(properties) == H5D_CONTIGUOUS &&
      worked(H5Pget_external_count(properties), "reading a layout") > 0) {
    throw GivenUp{"external storage (its values are in other files)", "the values must be in the file itself"};
  }
}

void refuse_missing_filters(hid_t properties) {
  const int count = worked(H5Pget_nfilters(properties), "reading the filters");
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t id = worked(H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &values, nullptr,
                                                  name.size() - 1, name.data(), &config),
                                   "reading the filters");
    if (H5Zfilter_avail(id) <= 0) {
      throw GivenUp{"compressed with filter " + std::to_string(id) + " (" + one_line(name.data()) + ")",
                    "this libhdf5 reads gzip, shuffle, szip and no compression"};
    }
  }
}

/// How the values travel: see Numbers.
struct Kind {
  std::uint64_t index;
  std::size_t bytes;
  hid_t type;
};

Kind kind_of(hid_t stored) {
  const std::size_t bytes = H5Tget_size(stored);
  const H5T_class_t group = H5Tget_class(stored);
  if (group == H5T_FLOAT && bytes > 0 && bytes <= 8) {
    std::size_t sign, exponent_at, exponent_bits, mantissa_at, mantissa_bits;
    worked(H5Tget_fields(stored, &sign, &exponent_at, &exponent_bits, &mantissa_at, &mantissa_bits), "reading a type");
    return exponent_bits <= 8 && mantissa_bits <= 23 ? Kind{0, 4, H5T_NATIVE_FLOAT} : Kind{1, 8, H5T_NATIVE_DOUBLE};
  }
  // Truth values are an enumeration, by h5py's convention; libhdf5 turns those into integers by itself.
  hid_t whole = stored;
  const Handle base(group == H5T_ENUM ? worked(H5Tget_super(stored), "reading a type") : -1, H5Tclose);
  if (group == H5T_ENUM) whole = base;
  if ((group == H5T_INTEGER || group == H5T_ENUM) && bytes > 0 && bytes <= 8) {
    const bool is_signed = H5Tget_sign(whole) != H5T_SGN_NONE;
    if (bytes < 4 || (bytes == 4 && is_signed)) return {2, 4, H5T_NATIVE_INT32};
    return bytes < 8 || is_signed ? Kind{3, 8, H5T_NATIVE_INT64} : Kind{4, 8, H5T_NATIVE_UINT64};
  }
  throw GivenUp{"the dataset's type is " + type_text(stored), plain};
}

/// Slabs along one axis, of about 16 MB and of whole chunks, so that no chunk is unpacked twice.
void send_values(Sender& to, hid_t dataset, hid_t space, const Shape& shape, const Kind& kind, hid_t properties) {
  // The first axis that is longer than 1, as one long recording may be stored as one trial.
  std::size_t axis = 0;
  while (axis + 1 < shape.size() && shape[axis] == 1) ++axis;
  std::size_t row = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) row *= shape[i];
  std::size_t chunk = 1;
  if (H5Pget_layout(properties) == H5D_CHUNKED) {
    std::array<hsize_t, max_rank> sizes{};
    worked(H5Pget_chunk(properties, static_cast<int>(max_rank), sizes.data()), "reading a layout");
    chunk = std::max<std::size_t>(1, std::min<std::size_t>(sizes[axis], shape[axis]));
  }
  const std::size_t aim = std::max<std::size_t>(1, (std::size_t{16} << 20) / kind.bytes / row);
  const std::size_t total = shape.empty() ? 1 : shape[axis];
  const std::size_t rows = std::min(total, (aim + chunk - 1) / chunk * chunk);
  std::vector<char> values(rows * row * kind.bytes);
  for (std::size_t first = 0; first < total; first += rows) {
    const std::size_t here = std::min(rows, total - first);
    // The library leaves out what nobody wrote of a dataset that is not filled: it must not be the slab before.
    if (first > 0) std::fill(values.begin(), values.end(), 0);
    if (shape.empty()) {
      worked(H5Dread(dataset, kind.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "reading values");
    } else {
      std::array<hsize_t, max_rank> start{}, size{};
      std::copy(shape.begin(), shape.end(), size.begin());
      start[axis] = first;
      size[axis] = here;
      worked(H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr), "reading values");
      const Handle memory(H5Screate_simple(static_cast<int>(shape.size()), size.data(), nullptr), H5Sclose);
      worked(H5Dread(dataset, kind.type, memory, space, H5P_DEFAULT, values.data()), "reading values");
    }
    const std::size_t bytes = here * row * kind.bytes, frame = values_per_frame * kind.bytes;
    for (std::size_t at = 0; at < bytes; at += frame)
      to.send(tag::values, values.data() + at, std::min(frame, bytes - at));
  }
  to.send(tag::complete, "");
}

/// Rows of different lengths (h5py's vlen, of integers) as a rectangle [rows, longest], filled up with -1.
void send_ragged(Sender& to, hid_t dataset, std::size_t rows, std::size_t most_bytes) {
  if (rows == 0 || rows > most_bytes / sizeof(hvl_t)) {
    throw GivenUp{"the dataset claims " + std::to_string(rows) + " rows", "as many rows as the file has room for"};
  }
  const Handle type(worked(H5Tvlen_create(H5T_NATIVE_INT64), "reading values"), H5Tclose);
  std::vector<hvl_t> lists(rows);  // what it points to goes with the process
  worked(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, lists.data()), "reading values");
  std::size_t longest = 0;
  for (const hvl_t& list : lists) longest = std::max(longest, list.len);
  if (longest == 0) throw GivenUp{"all rows of the dataset are empty", "no size may be 0"};
  if (longest > most_bytes / sizeof(std::int64_t) / rows) {
    throw GivenUp{"rows of up to " + std::to_string(longest) + " values",
                  "at most " + std::to_string(most_bytes) + " bytes are believed of this file on this machine"};
  }
  Head head = head_of({rows, longest});
  head.kind = 3;
  to.send(tag::head, &head, sizeof head);
  to.allow_more(further_limits(rows * longest * sizeof(std::int64_t)));
  std::vector<std::int64_t> values(rows * longest, -1);
  for (std::size_t row = 0; row < rows; ++row) {
    if (lists[row].len > 0) {
      std::memcpy(values.data() + row * longest, lists[row].p, lists[row].len * sizeof(std::int64_t));
    }
  }
  for (std::size_t at = 0; at < values.size(); at += values_per_frame) {
    to.send(tag::values, values.data() + at, std::min(values_per_frame, values.size() - at) * sizeof(std::int64_t));
  }
  to.send(tag::complete, "");
}

bool is_ragged(hid_t type) {
  if (H5Tget_class(type) != H5T_VLEN) return false;
  const Handle element(worked(H5Tget_super(type), "reading a type"), H5Tclose);
  return H5Tget_class(element) == H5T_INTEGER && H5Tget_size(element) <= 8;
}

void describe(hid_t dataset, Head& head, std::string& kind) {
  const Handle properties(worked(H5Dget_create_plist(dataset), "listing a dataset"), H5Pclose);
  if (worked(H5Pget_layout(properties), "listing a dataset") == H5D_VIRTUAL) {
    kind = "virtual";
    return;
  }
  const Handle type(worked(H5Dget_type(dataset), "listing a dataset"), H5Tclose);
  const Handle space(worked(H5Dget_space(dataset), "listing a dataset"), H5Sclose);
  head = head_of(shape_of(space).value_or(Shape{0}));
  kind = type_text(type);
}

void answer(Sender& to, const std::function<void()>& work) {
  try {
    work();
  } catch (const GivenUp& reason) {
    std::string message = reason.what.substr(0, max_text / 4) + '\0' + reason.right;
    to.send(tag::gave_up, message.substr(0, 2 * max_text));
  } catch (const std::bad_alloc&) {
    to.send(tag::gave_up,
            std::string("its values do not fit into memory") + '\0' + "more memory, or a smaller dataset");
  }
}

}  // namespace

void child_lists(Sender& to, const std::string& path) {
  answer(to, [&] {
    const Handle file = open_file(path);
    visit_datasets(file, max_listed, [&](const std::string& name, hid_t dataset) {
      Head head = head_of({0});
      std::string kind = "unreadable";
      try {
        describe(dataset, head, kind);
      } catch (const GivenUp&) {
      }
      const std::string message(reinterpret_cast<const char*>(&head), sizeof head);
      to.send(tag::listed, message + name + '\0' + kind);
    });
    to.send(tag::complete, "");
  });
}

void child_reads(Sender& to, const std::string& path, const std::string& key, std::size_t most_bytes) {
  answer(to, [&] {
    const Handle file = open_file(path);
    const Handle dataset = open_dataset(file, key);
    const Handle properties(worked(H5Dget_create_plist(dataset), "opening a dataset"), H5Pclose);
    refuse_foreign_storage(properties);
    const Handle type(worked(H5Dget_type(dataset), "opening a dataset"), H5Tclose);
    const Handle space(worked(H5Dget_space(dataset), "opening a dataset"), H5Sclose);
    const std::optional<Shape> shape = shape_of(space);
    if (!shape) throw GivenUp{"the dataset is empty", plain};
    if (is_ragged(type) && shape->size() == 1) {
      refuse_missing_filters(properties);
      return send_ragged(to, dataset, shape->front(), most_bytes);
    }
    const Kind kind = kind_of(type);
    const std::optional<std::size_t> count = element_count(*shape);
    if (count == std::size_t{0})
      throw GivenUp{"the dataset of shape " + text(*shape) + " is empty", "no size may be 0"};
    if (!count || *count > most_bytes / kind.bytes) {
      const UnbelievableShape unbelievable(*shape, most_bytes);
      throw GivenUp{unbelievable.what, unbelievable.right};
    }
    refuse_missing_filters(properties);
    Head head = head_of(*shape);
    head.kind = kind.index;
    to.send(tag::head, &head, sizeof head);
    to.allow_more(further_limits(*count * kind.bytes));
    send_values(to, dataset, space, *shape, kind, properties);
  });
}

}  // namespace tool::hdf5
