// The HDF5 reader: listing, every type, every shape.

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "../../tools/io/hdf5_reader.hpp"
#include "../../tools/io/hdf5_writer.hpp"
#include "../support/catch.hpp"
#include "files.hpp"
#include "hdf5_files.hpp"

using support::add_dataset, support::has, support::make_hdf5, support::refusal, support::TemporaryFolder;

namespace {

std::string refused_read(const std::filesystem::path& path, const std::string& key) {
  return refusal([&] { tool::read_dataset(path, key); });
}

}  // namespace

TEST_CASE("datasets are listed with groups, shapes and types, sorted", "[tools][hdf5]") {
  const TemporaryFolder folder;
  make_hdf5(folder / "a.h5", [](hid_t file) {
    add_dataset(file, "z", H5T_STD_U8BE, 0, {2, 3}, nullptr);
    add_dataset(file, "grad/decoder.0.bias", H5T_IEEE_F32LE, 0, {50}, nullptr);
    add_dataset(file, "grad/a", H5T_STD_I64LE, 0, {}, nullptr);
    const hid_t text = H5Tcopy(H5T_C_S1);
    add_dataset(file, "note", text, 0, {1}, nullptr);
    H5Lcreate_hard(file, "/", file, "grad/loop", H5P_DEFAULT, H5P_DEFAULT);  // must not go round for ever
    H5Ldelete(file, "grad/loop", H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/x", file, "elsewhere", H5P_DEFAULT, H5P_DEFAULT);
  });
  const auto all = tool::list_datasets(folder / "a.h5");
  REQUIRE(all.size() == 4);
  CHECK(all[0].name == "grad/a");
  CHECK(all[0].shape.empty());
  CHECK(all[0].type == "int64");
  CHECK(all[1].name == "grad/decoder.0.bias");
  CHECK(all[1].shape == tool::Shape{50});
  CHECK(all[1].type == "float32");
  CHECK(all[2].type == "string");
  CHECK(all[3].name == "z");
  CHECK(all[3].type == "uint8");
}

TEST_CASE("a group that holds itself does not keep the listing from ending", "[tools][hdf5]") {
  const TemporaryFolder folder;
  make_hdf5(folder / "a.h5", [](hid_t file) {
    add_dataset(file, "g/x", H5T_STD_U8LE, 0, {1}, nullptr);
    H5Lcreate_hard(file, "/g", file, "g/g", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file, "/g", file, "g/h", H5P_DEFAULT, H5P_DEFAULT);
  });
  CHECK(!tool::list_datasets(folder / "a.h5").empty());
  CHECK(has(refused_read(folder / "a.h5", "y"), "no such dataset"));
}

TEST_CASE("every integer and float type on disk is read, of either byte order", "[tools][hdf5]") {
  const TemporaryFolder folder;
  make_hdf5(folder / "a.h5", [](hid_t file) {
    const std::array<std::int8_t, 4> values = {0, 1, 100, 127};
    const std::vector<std::pair<const char*, hid_t>> types = {
        {"i1", H5T_STD_I8LE},    {"i2<", H5T_STD_I16LE}, {"i4<", H5T_STD_I32LE},  {"i8<", H5T_STD_I64LE},
        {"i2>", H5T_STD_I16BE},  {"i4>", H5T_STD_I32BE}, {"i8>", H5T_STD_I64BE},  {"u1", H5T_STD_U8LE},
        {"u2<", H5T_STD_U16LE},  {"u4<", H5T_STD_U32LE}, {"u8<", H5T_STD_U64LE},  {"u2>", H5T_STD_U16BE},
        {"u4>", H5T_STD_U32BE},  {"u8>", H5T_STD_U64BE}, {"f4<", H5T_IEEE_F32LE}, {"f4>", H5T_IEEE_F32BE},
        {"f8<", H5T_IEEE_F64LE}, {"f8>", H5T_IEEE_F64BE}};
    for (const auto& [name, type] : types) add_dataset(file, name, type, H5T_NATIVE_INT8, {2, 2}, values.data());
    const hid_t half = H5Tcopy(H5T_IEEE_F32LE);  // as h5py stores float16
    H5Tset_fields(half, 15, 10, 5, 0, 10);
    H5Tset_size(half, 2);
    H5Tset_ebias(half, 15);
    add_dataset(file, "f2", half, H5T_NATIVE_INT8, {2, 2}, values.data());
    const hid_t truth = H5Tenum_create(H5T_NATIVE_INT8);  // as h5py stores truth values
    for (std::int8_t i = 0; i < 2; ++i) H5Tenum_insert(truth, i ? "TRUE" : "FALSE", &i);
    const std::array<std::int8_t, 4> truths = {0, 1, 1, 0};
    add_dataset(file, "b1", truth, truth, {2, 2}, truths.data());
  });
  const auto all = tool::list_datasets(folder / "a.h5");
  CHECK(all.size() == 20);
  for (const tool::DatasetInfo& dataset : all) {
    INFO(dataset.name);
    const bool truth = dataset.name == "b1";
    const auto expected = truth ? std::vector<std::int64_t>{0, 1, 1, 0} : std::vector<std::int64_t>{0, 1, 100, 127};
    CHECK(tool::read_integers(folder / "a.h5", dataset.name).values == expected);
    CHECK(tool::read_float(folder / "a.h5", dataset.name).values ==
          std::vector<float>(expected.begin(), expected.end()));
    CHECK(tool::read_double(folder / "a.h5", dataset.name).values ==
          std::vector<double>(expected.begin(), expected.end()));
  }
}

TEST_CASE("a value that the wanted type does not hold is refused and named", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const std::vector<double> large = {1, 1e300}, fractions = {1, 2.5};
  const std::vector<std::int64_t> longs = {(std::int64_t{1} << 53) + 1, 1};
  const double infinite[] = {std::numeric_limits<double>::infinity(), std::nan("")};
  tool::write_hdf5(folder / "a.h5", {{"large", {2, 1}, std::span(large)},
                                     {"fractions", {2}, std::span(fractions)},
                                     {"longs", {1, 2}, std::span(longs)},
                                     {"infinite", {2}, std::span(infinite)}});
  make_hdf5(folder / "u.h5", [](hid_t file) {
    const std::uint64_t most[] = {std::numeric_limits<std::uint64_t>::max(), 3};
    add_dataset(file, "u", H5T_STD_U64LE, H5T_NATIVE_UINT64, {2}, most);
  });
  const auto float_of = [&](const char* key) { return refusal([&] { tool::read_float(folder / "a.h5", key); }); };
  const auto double_of = [&](const char* key) { return refusal([&] { tool::read_double(folder / "a.h5", key); }); };
  const auto whole_of = [&](const char* key) { return refusal([&] { tool::read_integers(folder / "a.h5", key); }); };
  CHECK(has(float_of("large"), "1e+300 at [1, 0]"));
  CHECK(double_of("large").empty());
  CHECK(has(whole_of("fractions"), "2.5 at [1]"));
  CHECK(has(float_of("longs"), "9007199254740993 at [0, 0]"));
  CHECK(has(double_of("longs"), "9007199254740993 at [0, 0]"));
  CHECK(whole_of("longs").empty());
  CHECK(float_of("infinite").empty());
  CHECK(has(whole_of("infinite"), "inf at [0]"));
  CHECK(has(refusal([&] { tool::read_integers(folder / "u.h5", "u"); }), "18446744073709551615 at [0]"));
  CHECK(has(refusal([&] { tool::read_double(folder / "u.h5", "u"); }), "18446744073709551615 at [0]"));
}

TEST_CASE("a large dataset comes through in slabs, whatever its chunks", "[tools][hdf5]") {
  const TemporaryFolder folder;
  // Above the slab size of 16 MB, with sizes that divide by nothing; one stored as a single trial.
  std::vector<std::int32_t> values(1501 * 61 * 53);
  std::iota(values.begin(), values.end(), 0);
  const auto rows = static_cast<hsize_t>(GENERATE(0, 7, 1501));
  make_hdf5(folder / "a.h5", [&](hid_t file) {
    const auto chunk = [&](std::vector<hsize_t> c) { return rows ? c : std::vector<hsize_t>{}; };
    add_dataset(file, "a", H5T_STD_I32LE, H5T_NATIVE_INT32, {1501, 61, 53}, values.data(), chunk({rows, 60, 53}),
                rows ? 1 : 0);
    add_dataset(file, "b", H5T_STD_I32BE, H5T_NATIVE_INT32, {1, 1501, 61 * 53}, values.data(), chunk({1, rows, 100}));
  });
  for (const char* key : {"a", "b"}) {
    const auto back = tool::read_dataset(folder / "a.h5", key);
    CHECK((std::get<std::vector<std::int32_t>>(back.values) == values));  // not to be printed
  }
}

TEST_CASE("what was never written of a dataset that is not filled is zero, in every slab", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const std::vector<hsize_t> shape = {120000, 80}, chunk = {60, 80};  // 38 MB, more than two slabs
  const std::vector<std::int32_t> values(60 * 80, 3);
  make_hdf5(folder / "a.h5", [&](hid_t file) {
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, shape.data(), nullptr);
    H5Pset_chunk(layout, 2, chunk.data());
    H5Pset_fill_time(layout, H5D_FILL_TIME_NEVER);
    const hid_t id = support::good(H5Dcreate2(file, "a", H5T_STD_I32LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
    const std::vector<hsize_t> start = {0, 0};
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, chunk.data(), nullptr);
    const hid_t memory = H5Screate_simple(2, chunk.data(), nullptr);
    support::good(H5Dwrite(id, H5T_NATIVE_INT32, memory, space, H5P_DEFAULT, values.data()));
    H5Sclose(memory), H5Dclose(id), H5Sclose(space), H5Pclose(layout);
  });
  const auto back = std::get<std::vector<std::int32_t>>(tool::read_dataset(folder / "a.h5", "a").values);
  CHECK(std::accumulate(back.begin(), back.end(), std::int64_t{0}) == 3 * 60 * 80);
  CHECK(back.front() == 3);
}

TEST_CASE("a file that starts with a user block is read", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const float value = 4;
  tool::write_hdf5(folder / "a.h5", {{"x", {1}, std::span(&value, 1)}});
  support::write(folder / "b.h5", std::string(1024, 'u') + support::contents(folder / "a.h5"));
  CHECK(tool::read_float(folder / "b.h5", "x").values == std::vector<float>{4});
}
