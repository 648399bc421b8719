// HDF5 files that are refused, and what is said.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>

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

TEST_CASE("a missing dataset is refused with a list of those there", "[tools][hdf5]") {
  const TemporaryFolder folder;
  make_hdf5(folder / "a.h5", [](hid_t file) {
    add_dataset(file, "valid_data", H5T_STD_U8LE, 0, {1}, nullptr);
    add_dataset(file, "grad/w", H5T_STD_U8LE, 0, {1}, nullptr);
  });
  make_hdf5(folder / "many.h5", [](hid_t file) {
    for (int i = 0; i < 30; ++i) add_dataset(file, "d" + std::to_string(100 + i), H5T_STD_U8LE, 0, {1}, nullptr);
  });
  make_hdf5(folder / "none.h5", [](hid_t) {});
  CHECK(has(refused_read(folder / "a.h5", "spikes"), "no such dataset, dataset spikes of "));
  for (const char* key : {"spikes", "grad/x", "valid_data/x", ".", "a/../b"}) {
    INFO(key);
    CHECK(has(refused_read(folder / "a.h5", key), ", there is grad/w, valid_data"));
  }
  CHECK(has(refused_read(folder / "a.h5", "grad"), "a group or type instead of a dataset"));
  CHECK(has(refused_read(folder / "many.h5", "x"), "d118, d119 and 10 more"));
  CHECK(has(refused_read(folder / "none.h5", "x"), "there is no dataset in this file"));
  CHECK(has(refused_read(folder / "a.h5", ""), "cannot be a dataset's name"));
}

TEST_CASE("names out of the file cannot break the line of the error", "[tools][hdf5]") {
  const TemporaryFolder folder;
  make_hdf5(folder / "a.h5", [](hid_t file) {
    add_dataset(file, "two\nlines\x1b[2J", H5T_STD_U8LE, 0, {1}, nullptr);
    add_dataset(file, std::string(1000, 'n'), H5T_STD_U8LE, 0, {1}, nullptr);
  });
  const std::string message = refused_read(folder / "a.h5", "s\np");
  CHECK(has(message, "two?lines?[2J"));
  CHECK(has(message, "nnn..."));
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.size() < 600);
}

TEST_CASE("datasets that are no plain numbers are refused", "[tools][hdf5]") {
  const TemporaryFolder folder;
  make_hdf5(folder / "a.h5", [](hid_t file) {
    const hid_t text = H5Tcopy(H5T_C_S1), pair = H5Tcreate(H5T_COMPOUND, 8);
    H5Tset_size(text, H5T_VARIABLE);
    H5Tinsert(pair, "a", 0, H5T_NATIVE_INT32), H5Tinsert(pair, "b", 4, H5T_NATIVE_INT32);
    const hsize_t three = 3;
    add_dataset(file, "string", text, 0, {2}, nullptr);
    add_dataset(file, "compound", pair, 0, {2}, nullptr);
    add_dataset(file, "opaque", H5Tcreate(H5T_OPAQUE, 4), 0, {2}, nullptr);
    add_dataset(file, "array", H5Tarray_create2(H5T_NATIVE_INT32, 1, &three), 0, {2}, nullptr);
    add_dataset(file, "variable length", H5Tvlen_create(H5T_NATIVE_FLOAT), 0, {2}, nullptr);
    add_dataset(file, "reference", H5T_STD_REF_OBJ, 0, {2}, nullptr);
    add_dataset(file, "bit field", H5T_STD_B8LE, 0, {2}, nullptr);
    add_dataset(file, "float128", H5T_NATIVE_LDOUBLE, 0, {2}, nullptr);
    add_dataset(file, "none", H5T_STD_U8LE, 0, {3, 0, 2}, nullptr);
    const hid_t null = H5Screate(H5S_NULL);
    H5Dcreate2(file, "null", H5T_STD_U8LE, null, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  });
  for (const char* key :
       {"string", "compound", "opaque", "array", "variable length", "reference", "bit field", "float128"}) {
    CHECK(has(refused_read(folder / "a.h5", key), std::string("the dataset's type is ") + key + ", "));
  }
  CHECK(has(refused_read(folder / "a.h5", "none"), "the dataset of shape [3, 0, 2] is empty"));
  CHECK(has(refused_read(folder / "a.h5", "null"), "the dataset is empty"));
}

TEST_CASE("a small file that claims absurd sizes is refused before memory is taken", "[tools][hdf5]") {
  const TemporaryFolder folder;
  make_hdf5(folder / "a.h5", [](hid_t file) {
    add_dataset(file, "large", H5T_STD_U8LE, 0, {1 << 20, 1 << 10, 1 << 10}, nullptr, {1, 32, 32});
    const hsize_t huge = hsize_t{1} << 40;
    add_dataset(file, "overflow", H5T_STD_U8LE, 0, {huge, 1 << 10, 1 << 10}, nullptr, {1, 32, 32});
    add_dataset(file, "unwritten", H5T_STD_U8LE, 0, {1000, 1000}, nullptr, {100, 100});
    add_dataset(file, "slow", H5T_STD_U8LE, 0, {2000, 1000, 120}, nullptr, {1, 10, 10});
  });
  CHECK(has(refused_read(folder / "a.h5", "large"), "claims the shape [1048576, 1024, 1024]"));
  CHECK(has(refused_read(folder / "a.h5", "slow"), "claims the shape [2000, 1000, 120]"));
  CHECK(has(refused_read(folder / "a.h5", "overflow"), "claims the shape [1099511627776, 1024, 1024]"));
  CHECK((tool::read_float(folder / "a.h5", "unwritten").values == std::vector<float>(1000000)));
}

TEST_CASE("a file does not make us read another file", "[tools][hdf5]") {
  const TemporaryFolder folder;
  support::write(folder / "raw", std::string(16, '\1'));
  make_hdf5(folder / "other.h5", [](hid_t file) {
    const std::int32_t values[] = {1, 2};
    add_dataset(file, "g/x", H5T_STD_I32LE, H5T_NATIVE_INT32, {2}, values);
  });
  make_hdf5(folder / "a.h5", [&](hid_t file) {
    const std::string other = (folder / "other.h5").string(), raw = (folder / "raw").string();
    const hsize_t two = 2;
    const hid_t space = H5Screate_simple(1, &two, nullptr);
    hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(layout, raw.c_str(), 0, 8);
    support::good(H5Dcreate2(file, "external", H5T_STD_I32LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
    layout = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(layout, space, other.c_str(), "/g/x", space);
    support::good(H5Dcreate2(file, "virtual", H5T_STD_I32LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
    H5Lcreate_external(other.c_str(), "/g/x", file, "link", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external(other.c_str(), "/g", file, "group", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/link", file, "soft to link", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/own", file, "soft to own", H5P_DEFAULT, H5P_DEFAULT);
    const std::int32_t own[] = {3, 4};
    add_dataset(file, "own", H5T_STD_I32LE, H5T_NATIVE_INT32, {2}, own);
  });
  CHECK(has(refused_read(folder / "a.h5", "external"), "external storage"));
  CHECK(has(refused_read(folder / "a.h5", "virtual"), "a virtual dataset"));
  CHECK(has(refused_read(folder / "a.h5", "link"), "a link to another file"));
  CHECK(has(refused_read(folder / "a.h5", "group/x"), "a link to another file"));
  CHECK(has(refused_read(folder / "a.h5", "soft to link"), "a link to nothing in this file"));
  CHECK(tool::read_integers(folder / "a.h5", "soft to own").values == std::vector<std::int64_t>{3, 4});
  CHECK(tool::list_datasets(folder / "a.h5").size() == 3);
}

TEST_CASE("a filter that libhdf5 does not have is refused by number", "[tools][hdf5]") {
  const TemporaryFolder folder;
  make_hdf5(folder / "a.h5", [](hid_t file) {
    const H5Z_class2_t filter = {
        H5Z_CLASS_T_VERS,
        32001,
        1,
        1,
        "blosc",
        nullptr,
        nullptr,
        [](unsigned, std::size_t, const unsigned*, std::size_t n, std::size_t*, void**) { return n; }};
    H5Zregister(&filter);
    const hid_t layout = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t four = 4;
    H5Pset_chunk(layout, 1, &four);
    H5Pset_filter(layout, 32001, 0, 0, nullptr);
    const hid_t space = H5Screate_simple(1, &four, nullptr);
    const hid_t id = support::good(H5Dcreate2(file, "x", H5T_STD_U8LE, space, H5P_DEFAULT, layout, H5P_DEFAULT));
    const std::uint8_t values[4] = {1, 2, 3, 4};
    support::good(H5Dwrite(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
    H5Dclose(id);
  });
  CHECK(has(refused_read(folder / "a.h5", "x"), "compressed with filter 32001 (blosc)"));
}

TEST_CASE("what is no HDF5 file is refused", "[tools][hdf5]") {
  const TemporaryFolder folder;
  support::write(folder / "empty", "");
  support::write(folder / "text", "this is not it");
  support::write(folder / "signature", "\x89HDF\r\n\x1a\n");
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(has(refused_read(folder / "missing", "x"), "cannot open the file: No such file"));
  CHECK(has(refused_read(folder / "empty", "x"), "the file is empty"));
  CHECK(has(refused_read(folder / "text", "x"), "not an HDF5 file"));
  CHECK(has(refused_read(folder.path(), "x"), "this is a folder"));
  CHECK(has(refused_read(folder / "fifo", "x"), "not a regular file"));
  CHECK(has(refused_read("/dev/zero", "x"), "not a regular file"));
  CHECK(has(refused_read(folder / "signature", "x"), "damaged HDF5 file (opening it: "));
  CHECK(has(refusal([&] { tool::list_datasets(folder / "text"); }), "not an HDF5 file"));
}

TEST_CASE("a format newer than the library is told from damage", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const float value = 4;
  tool::write_hdf5(folder / "a.h5", {{"x", {1}, std::span(&value, 1)}});
  std::string bytes = support::contents(folder / "a.h5");
  bytes[8] = 9;  // the version of the superblock
  support::write(folder / "a.h5", bytes);
  CHECK(has(refused_read(folder / "a.h5", "x"), "a newer format than this libhdf5 reads"));
  CHECK(has(refused_read(folder / "a.h5", "x"), "save it again in the default format"));
}

TEST_CASE("an object that cannot be opened does not hide the others", "[tools][hdf5]") {
  const TemporaryFolder folder;
  make_hdf5(
      folder / "a.h5",
      [](hid_t file) {
        add_dataset(file, "aaaa", H5T_STD_U8LE, 0, {1}, nullptr);
        add_dataset(file, "bbbb", H5T_STD_U8LE, 0, {1}, nullptr);
      },
      true);
  std::string bytes = support::contents(folder / "a.h5");
  const auto second = bytes.find("OHDR", bytes.find("OHDR") + 1);  // the first is the root group's
  REQUIRE(second != std::string::npos);
  bytes[second + 10] = static_cast<char>(bytes[second + 10] ^ 0x55);  // its checksum will not agree
  support::write(folder / "a.h5", bytes);
  const auto all = tool::list_datasets(folder / "a.h5");
  REQUIRE(all.size() == 2);
  CHECK(all[0].type == "unreadable");
  CHECK(all[1].type == "uint8");
  CHECK(has(refused_read(folder / "a.h5", "x"), "there is aaaa, bbbb"));
}

TEST_CASE("a file that another program writes to is refused", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const float value = 4;
  tool::write_hdf5(folder / "a.h5", {{"x", {1}, std::span(&value, 1)}});
  const int fd = open((folder / "a.h5").c_str(), O_RDWR);
  REQUIRE(flock(fd, LOCK_EX) == 0);
  CHECK(has(refused_read(folder / "a.h5", "x"), "another program has the file open"));
  close(fd);
  CHECK(refused_read(folder / "a.h5", "x").empty());
}
