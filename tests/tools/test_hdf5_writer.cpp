// The HDF5 writer: what is written comes back, and a file is there whole or not at all.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <limits>
#include <thread>

#include "../../tools/io/hdf5_reader.hpp"
#include "../../tools/io/hdf5_writer.hpp"
#include "../../tools/io/isolated.hpp"
#include "../../tools/io/output_file.hpp"
#include "../support/catch.hpp"
#include "../support/noise.hpp"
#include "files.hpp"
#include "hdf5_files.hpp"

using support::has, support::refusal, support::TemporaryFolder;

TEST_CASE("what is written to HDF5 comes back the same, compressed or not", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const int gzip = GENERATE(0, 1, 9);
  const std::vector<float> rates = support::noise<float>(3 * 70 * 202, 1);
  const std::vector<double> fine = support::noise<double>(7, 2);
  const std::vector<std::uint8_t> bytes = {0, 1, 255};
  const std::vector<std::int32_t> ints = {-5, 0, std::numeric_limits<std::int32_t>::max()};
  const std::vector<std::int64_t> longs = {std::numeric_limits<std::int64_t>::min(), 7};
  const float loss = 0.25f;
  tool::write_hdf5(folder / "a.h5",
                   {{"rates", {3, 70, 202}, std::span(rates), {{"unit", "spikes/bin"}}},
                    {"grad/deep/w", {7}, std::span(fine)},
                    {"b", {3, 1}, std::span(bytes)},
                    {"i", {3}, std::span(ints)},
                    {"l", {2}, std::span(longs)},
                    {"loss", {}, std::span(&loss, 1)}},
                   {{"bin_width", 0.01}, {"made_by", "ndt"}, {"version", std::int64_t{1}}}, {gzip});
  const tool::Array<float> back = tool::read_float(folder / "a.h5", "rates");
  CHECK(back.shape == tool::Shape{3, 70, 202});
  CHECK((back.values == rates));
  CHECK(tool::read_double(folder / "a.h5", "grad/deep/w").values == fine);
  CHECK(tool::read_double(folder / "a.h5", "/grad/deep/w").values == fine);
  CHECK(tool::read_integers(folder / "a.h5", "b").values == std::vector<std::int64_t>{0, 1, 255});
  CHECK(tool::read_integers(folder / "a.h5", "i").values == std::vector<std::int64_t>(ints.begin(), ints.end()));
  CHECK(tool::read_integers(folder / "a.h5", "l").values == longs);
  CHECK(tool::read_float(folder / "a.h5", "loss").shape.empty());
  CHECK(tool::read_float(folder / "a.h5", "loss").values == std::vector<float>{0.25f});
  CHECK(folder.entries() == 1);
}

TEST_CASE("attributes are in the file as text, float and integer", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const float one = 1;
  tool::write_hdf5(folder / "a.h5", {{"x", {1}, std::span(&one, 1), {{"unit", "Hz"}}}},
                   {{"bin_width", 0.01}, {"version", std::int64_t{3}}});
  CHECK_NOTHROW(support::in_child([&] {
    const hid_t file = support::good(H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    const auto attribute = [&](const char* object, const char* name) {
      return support::good(H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT));
    };
    double width = 0;
    std::int64_t version = 0;
    char* unit = nullptr;
    H5Aread(attribute("/", "bin_width"), H5T_NATIVE_DOUBLE, &width);
    H5Aread(attribute("/", "version"), H5T_NATIVE_INT64, &version);
    const hid_t unit_id = attribute("x", "unit");
    H5Aread(unit_id, H5Aget_type(unit_id), &unit);
    if (width != 0.01 || version != 3 || std::string(unit) != "Hz") throw std::runtime_error("attributes");
  }));
}

TEST_CASE("writing the same twice gives the same bytes", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const std::vector<float> values = support::noise<float>(1000, 3);
  for (const char* name : {"a.h5", "b.h5"}) {
    tool::write_hdf5(folder / name, {{"g/x", {10, 100}, std::span(values)}}, {{"seed", std::int64_t{1}}}, {4});
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // libhdf5 would keep the time in seconds
  }
  CHECK(support::contents(folder / "a.h5").size() > 1000);
  CHECK((support::contents(folder / "a.h5") == support::contents(folder / "b.h5")));
}

TEST_CASE("an output that cannot be written is refused, and nothing is left behind", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const std::vector<float> values(100000, 1.5f);
  const auto written_to = [&](const std::filesystem::path& path, int gzip = 0) {
    return refusal([&] { tool::write_hdf5(path, {{"x", {100000}, std::span(values)}}, {}, {gzip}); });
  };
  std::filesystem::create_directory(folder / "sub");
  support::write(folder / "old.h5", "as it was");
  support::write(folder / "plain", "a file");
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(has(written_to(folder / "sub"), "the output is a folder"));
  CHECK(has(written_to(folder / "missing" / "a.h5"), "cannot write the output: No such file or directory"));
  CHECK(has(written_to(folder / "plain" / "a.h5"), "cannot write the output: Not a directory"));
  CHECK(has(written_to(folder / "fifo"), "not a regular file"));
  // A device of our own making: if this ever fails, and as root, the real one shall not be replaced.
  const bool device = mknod((folder / "full").c_str(), S_IFCHR | 0600, makedev(1, 7)) == 0;
  if (device) CHECK(has(written_to(folder / "full"), "not a regular file"));
  CHECK(has(written_to("/proc/a.h5"), "cannot write the output: "));
  CHECK(has(written_to(""), "no file name"));
  if (device) CHECK(std::filesystem::is_character_file(folder / "full"));

  // A file size limit stops writes half-way, as a full disk does.
  for (const rlim_t room : {rlim_t{0}, rlim_t{100}, rlim_t{4096}, rlim_t{200000}, rlim_t{399999}}) {
    INFO(room);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{room, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const std::string message = written_to(folder / "old.h5");
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK(has(message, "cannot write the output: File too large"));
  }
  CHECK(support::contents(folder / "old.h5") == "as it was");
  CHECK(folder.entries() == 4 + std::size_t(device));
  CHECK(written_to(folder / "old.h5").empty());
  CHECK((tool::read_float(folder / "old.h5", "x").values == values));
}

TEST_CASE("a link to a file that is not there yet is written through, one to itself refused", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const float value = 1;
  const auto write_to = [&](const char* name) {
    return refusal([&] { tool::write_hdf5(folder / name, {{"x", {1}, std::span(&value, 1)}}); });
  };
  std::filesystem::create_directory(folder / "sub");
  std::filesystem::create_symlink("sub/second.h5", folder / "first.h5");
  std::filesystem::create_symlink("new.h5", folder / "sub" / "second.h5");
  CHECK(write_to("first.h5").empty());
  CHECK(std::filesystem::is_symlink(folder / "first.h5"));
  CHECK(std::filesystem::is_symlink(folder / "sub" / "second.h5"));
  CHECK(tool::read_float(folder / "sub" / "new.h5", "x").values == std::vector<float>{1});
  std::filesystem::create_symlink("nowhere/a.h5", folder / "lost.h5");
  CHECK(has(write_to("lost.h5"), "nowhere/a.h5"));
  std::filesystem::create_symlink("loop.h5", folder / "loop.h5");
  CHECK(has(write_to("loop.h5"), "leads to itself"));
  CHECK(folder.entries() == 4);
}

TEST_CASE("a process that is told to end while it writes leaves nothing, and ends as it was told", "[tools][hdf5]") {
  const TemporaryFolder folder;
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGXCPU, SIGUSR1, SIGUSR2}) {
    const pid_t child = fork();
    if (child == 0) {
      signal(number, SIG_DFL);  // the test framework has its own
      const rlimit no_core{0, 0};
      setrlimit(RLIMIT_CORE, &no_core);
      tool::OutputFile first(folder / "a"), second(folder / "b");
      first.write("half", 4);
      raise(number);
      _exit(1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == number);
    CHECK(folder.entries() == 0);
  }
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGINT, SIG_IGN);
    tool::OutputFile file(folder / "c");
    file.write("whole", 5);
    raise(SIGINT);
    file.commit();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(support::contents(folder / "c") == "whole");
}

TEST_CASE("a child that writes ends before its file is removed", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const pid_t program = fork();
  if (program == 0) {
    signal(SIGTERM, SIG_DFL);
    const tool::OutputFile file(folder / "a");
    const std::string path = file.path().string();
    // Makes its file again and again, as a library that opens it late would.
    tool::Isolated child({}, [&](tool::Sender& to) {
      for (int i = 0;; ++i) {
        close(open(path.c_str(), O_WRONLY | O_CREAT, 0666));
        if (i == 0) to.send('W', "");
      }
    });
    child.next(16);
    raise(SIGTERM);
    _exit(1);
  }
  int status = 0;
  REQUIRE(waitpid(program, &status, 0) == program);
  CHECK(WIFSIGNALED(status));
  CHECK(folder.entries() == 0);
}

TEST_CASE("a link as output is written through, and the file has the mode the user's mask says", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const float value = 1;
  support::write(folder / "real.h5", "old");
  std::filesystem::create_symlink("real.h5", folder / "link.h5");
  const mode_t mask = umask(027);
  tool::write_hdf5(folder / "link.h5", {{"x", {1}, std::span(&value, 1)}});
  umask(mask);
  CHECK(std::filesystem::is_symlink(folder / "link.h5"));
  CHECK(tool::read_float(folder / "real.h5", "x").values == std::vector<float>{1});
  CHECK(std::filesystem::status(folder / "real.h5").permissions() == std::filesystem::perms(0640));
}
