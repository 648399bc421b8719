// Damaged HDF5 files, and the child process that keeps what they do to libhdf5 away from us.
#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../../tools/io/hdf5_reader.hpp"
#include "../../tools/io/hdf5_writer.hpp"
#include "../support/catch.hpp"
#include "../support/noise.hpp"
#include "files.hpp"
#include "hdf5_files.hpp"

using support::add_dataset, support::has, support::refusal, support::TemporaryFolder;

namespace {

using Why = tool::ChildFailed::Why;

/// Why a child that does `work` gives no frame, and what is said about it.
std::pair<Why, std::string> failure(const tool::Limits& limits, const std::function<void(tool::Sender&)>& work) {
  try {
    tool::Isolated(limits, work).next(100);
  } catch (const tool::ChildFailed& failed) {
    return {failed.why, failed.what()};
  }
  return {Why::not_started, ""};
}

[[noreturn]] void spin() {
  for (std::atomic<unsigned> i = 0;;) ++i;
}

/// Six datasets in chunks, with gzip, and a group, in the oldest or the newest format.
std::string sample(const TemporaryFolder& folder, bool latest) {
  support::make_hdf5(
      folder / "sample.h5",
      [](hid_t file) {
        support::Random random(7);
        std::vector<std::uint8_t> counts(19 * 31 * 71);
        for (auto& count : counts) count = static_cast<std::uint8_t>(random.below(4) == 0);
        const auto values = support::noise<float>(300 * 100, 8);
        add_dataset(file, "spikes", H5T_STD_U8LE, H5T_NATIVE_UINT8, {19, 31, 71}, counts.data(), {2, 31, 40}, 4);
        add_dataset(file, "behavior", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {19, 31, 2}, values.data(), {1, 31, 2}, 1);
        add_dataset(file, "loss", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {}, values.data());
        for (const char* name : {"grad/a.weight", "grad/a.bias", "grad/b.weight"}) {
          add_dataset(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, {30, 10}, values.data());
        }
      },
      latest);
  return support::contents(folder / "sample.h5");
}

/// Flips, zeroed stretches, bytes of all ones, truncations; half of the places are in the first 4 kB, where the
/// structure is.
std::string damaged(std::string bytes, support::Random& random) {
  const auto place = [&] {
    return random.below(random.below(2) ? bytes.size() : std::min<std::size_t>(4096, bytes.size()));
  };
  switch (random.below(8)) {
    case 0:
      bytes.resize(place());
      break;
    case 1: {
      const std::size_t at = place(), count = std::min(bytes.size() - at, 1 + random.below(64));
      std::memset(bytes.data() + at, random.below(2) ? 0xff : 0, count);
      break;
    }
    default:
      for (std::size_t flips = 1 + random.below(8); flips-- > 0;)
        bytes[place()] ^= static_cast<char>(1 << random.below(8));
  }
  return bytes;
}

}  // namespace

TEST_CASE("the parent survives damaged files, with an answer or Refused each time", "[tools][hdf5][damage]") {
  const TemporaryFolder folder;
  const bool latest = GENERATE(false, true);
  const std::string whole = sample(folder, latest);
  const tool::Limits limits{.memory = std::uint64_t{1} << 30, .processor_seconds = 1, .wall_seconds = 10};
  support::Random random(latest ? 11 : 10);
  constexpr int files = 300;
  int read = 0, refused = 0, crashed = 0, hung = 0, calls = 0;
  const auto attempt = [&](auto&& call) {
    ++calls;
    const std::string message = refusal(call);
    CHECK(message.find('\n') == std::string::npos);
    if (message.empty()) ++read;
    if (!message.empty()) ++refused;
    crashed += has(message, "reading it crashes the library") || has(message, "reading it ends the library");
    hung += has(message, "reading it does not end");
  };
  for (int i = 0; i < files; ++i) {
    support::write(folder / "damaged.h5", damaged(whole, random));
    attempt([&] { tool::list_datasets(folder / "damaged.h5", limits); });
    attempt([&] { tool::read_dataset(folder / "damaged.h5", "spikes", limits); });
    attempt([&] { tool::read_dataset(folder / "damaged.h5", "grad/b.weight", limits); });
  }
  CHECK(read + refused == calls);
  CHECK(read > 0);
  CHECK(refused > 0);
  std::printf(
      "  %d damaged files (%s format), %d readings: %d with an answer, %d refused, of those %d for a crash and %d "
      "for a hang of libhdf5\n",
      files, latest ? "newest" : "oldest", calls, read, refused, crashed, hung);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);  // no child is left, running or dead
}

TEST_CASE("a file cut anywhere is refused or read, and the cut of half the values is refused",
          "[tools][hdf5][damage]") {
  const TemporaryFolder folder;
  const std::string whole = sample(folder, false);
  for (std::size_t size = 0; size < whole.size(); size += 997) {
    support::write(folder / "cut.h5", whole.substr(0, size));
    CHECK(!refusal([&] { tool::read_dataset(folder / "cut.h5", "spikes"); }).empty());
  }
}

TEST_CASE("a child that crashes is reported as crashed", "[tools][isolated]") {
  CHECK(failure({}, [](tool::Sender&) { std::abort(); }).first == Why::crashed);
  CHECK(has(failure({}, [](tool::Sender&) { raise(SIGSEGV); }).second, "Segmentation fault"));
  CHECK(failure({}, [](tool::Sender&) { _exit(0); }).first == Why::crashed);
  CHECK(failure({}, [](tool::Sender&) { throw 1; }).first == Why::crashed);
}

TEST_CASE("a child that computes or waits for ever is ended", "[tools][isolated]") {
  const auto start = std::chrono::steady_clock::now();
  const auto busy = failure({.processor_seconds = 1}, [](tool::Sender&) { spin(); });
  CHECK(busy.first == Why::stalled);
  CHECK(has(busy.second, "processor time"));
  CHECK(failure({.wall_seconds = 0.2}, [](tool::Sender&) {
          for (;;) pause();
        }).first == Why::stalled);
  CHECK(failure({.wall_seconds = 0.2}, [](tool::Sender&) { spin(); }).first == Why::stalled);
  // It hangs without its end of the pipe: there is no more to hear, and no death to collect.
  CHECK(failure({}, [](tool::Sender&) {
          for (int fd = 0; fd < 100; ++fd) close(fd);
          for (;;) pause();
        }).first == Why::crashed);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a child cannot take more memory than allowed, until it is allowed more", "[tools][isolated]") {
  const auto takes = [](std::size_t bytes) {  // not malloc: a sanitizer's has its memory mapped beforehand
    return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
  };
  const auto answer = [&](std::uint64_t memory, std::uint64_t more) {
    tool::Isolated child({.memory = memory}, [&](tool::Sender& to) {
      to.allow_more({.memory = more});
      to.send(takes(std::size_t{512} << 20) ? 'y' : 'n', "");
    });
    return child.next(0).tag;
  };
  CHECK(answer(std::uint64_t{64} << 20, 0) == 'n');
  CHECK(answer(std::uint64_t{64} << 20, std::uint64_t{1} << 30) == 'y');
  CHECK(answer(0, 0) == 'y');
}

TEST_CASE("what a child sends is not believed to be as long as it says", "[tools][isolated]") {
  CHECK(failure({}, [](tool::Sender& to) { to.send('x', std::string(101, 'x')); }).first == Why::garbled);
  CHECK(failure({}, [](tool::Sender&) {
          [[maybe_unused]] auto n = write(3, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
        }).first == Why::garbled);
  tool::Isolated child({}, [](tool::Sender& to) { to.send('x', std::string(50, 'x')), _exit(0); });
  CHECK(child.next(50).bytes == 50);
  CHECK(child.read_text(50) == std::string(50, 'x'));
  CHECK_THROWS_AS(child.next(50), tool::ChildFailed);
}

TEST_CASE("a child does not hold the parent's files or handlers", "[tools][isolated]") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const int high = fcntl(ends[1], F_DUPFD, 50);
  tool::Isolated child({}, [&](tool::Sender& to) { to.send(fcntl(high, F_GETFD) == -1 ? 'y' : 'n', ""); });
  CHECK(child.next(0).tag == 'y');
  const auto handler = std::signal(SIGTERM, [](int) { _exit(0); });
  CHECK(has(failure({}, [](tool::Sender&) { raise(SIGTERM); }).second, "Terminated"));
  std::signal(SIGTERM, handler);
  close(high);
  close(ends[0]), close(ends[1]);
}

TEST_CASE("where no process can be started, reading and writing are refused", "[tools][isolated]") {
  const TemporaryFolder folder;
  const float value = 1;
  tool::write_hdf5(folder / "a.h5", {{"x", {1}, std::span(&value, 1)}});
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0777));
  std::fflush(nullptr);
  const pid_t tester = fork();
  if (tester == 0) {  // as nobody, since the limit does not hold for root
    if (geteuid() == 0 && (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0)) _exit(2);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_NPROC, &none);
    const std::string read = refusal([&] { tool::read_dataset(folder / "a.h5", "x"); });
    const std::string written = refusal([&] { tool::write_hdf5(folder / "b.h5", {{"x", {1}, std::span(&value, 1)}}); });
    _exit(has(read, "must allow a child process") && has(written, "must allow a child process") ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(tester, &status, 0) == tester);
  CHECK(status == 0);
  CHECK(folder.entries() == 1);
}

TEST_CASE("nothing is printed, not even by a library that fails", "[tools][hdf5]") {
  const TemporaryFolder folder;
  const float value = 1;
  tool::write_hdf5(folder / "a.h5", {{"x", {1}, std::span(&value, 1)}});
  support::write(folder / "cut.h5", support::contents(folder / "a.h5").substr(0, 600));
  std::fflush(nullptr);
  const int file = open((folder / "printed").c_str(), O_RDWR | O_CREAT, 0600);
  const int out = dup(1), err = dup(2);
  dup2(file, 1), dup2(file, 2);
  const std::string missing = refusal([&] { tool::read_dataset(folder / "a.h5", "y"); }),
                    cut = refusal([&] { tool::read_dataset(folder / "cut.h5", "x"); });
  std::string crash;
  try {
    tool::Isolated({}, [](tool::Sender&) {
      std::puts("out"), std::fputs("err", stderr), std::fflush(nullptr);
      std::abort();
    }).next(0);
  } catch (const tool::ChildFailed& failed) {
    crash = failed.what();
  }
  std::fflush(nullptr);
  dup2(out, 1), dup2(err, 2);
  close(out), close(err), close(file);
  CHECK(!missing.empty());
  CHECK(!cut.empty());
  CHECK(!crash.empty());
  CHECK(support::contents(folder / "printed").empty());
}
