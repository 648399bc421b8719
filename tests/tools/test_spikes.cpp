// Spike counts from either kind of file, and the bad ones named by trial, bin and neuron.
#include <cmath>
#include <cstdint>
#include <limits>

#include "../../tools/io/hdf5_writer.hpp"
#include "../../tools/io/spikes.hpp"
#include "../support/catch.hpp"
#include "files.hpp"
#include "hdf5_files.hpp"
#include "npy_bytes.hpp"

using support::bytes_of, support::has, support::npy, support::npy_dict, support::refusal, support::TemporaryFolder;

namespace {

/// 2 trials of 3 bins of 4 neurons; `last` is at trial 1, bin 2, neuron 3.
template <class T>
std::vector<T> counts(T last) {
  std::vector<T> values(2 * 3 * 4);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(i % 5);
  values.back() = last;
  return values;
}

template <class T>
std::string refused_npy(const TemporaryFolder& folder, const char* type, T last) {
  support::write(folder / "bad.npy", npy(npy_dict(type, "(2, 3, 4)"), bytes_of(counts<T>(last))));
  return refusal([&] { tool::read_spikes(folder / "bad.npy"); });
}

template <class T>
std::string refused_hdf5(const TemporaryFolder& folder, T last) {
  const auto values = counts<T>(last);
  tool::write_hdf5(folder / "bad.h5", {{"spikes", {2, 3, 4}, std::span(values)}});
  return refusal([&] { tool::read_spikes(folder / "bad.h5"); });
}

}  // namespace

TEST_CASE("spike counts are read from HDF5 and .npy, told apart by content", "[tools][spikes]") {
  const TemporaryFolder folder;
  const auto ints = counts<std::int32_t>(7);
  const auto bytes = counts<std::uint8_t>(7);
  tool::write_hdf5(folder / "hdf5.npy", {{"spikes", {2, 3, 4}, std::span(bytes)}, {"other", {6, 4}, std::span(ints)}});
  support::write(folder / "npy.h5", npy(npy_dict("<i4", "(2, 3, 4)"), bytes_of(ints)));
  for (const char* name : {"hdf5.npy", "npy.h5"}) {
    const tool::SpikeCounts spikes = tool::read_spikes(folder / name, {}, 4);
    CHECK(spikes.trials == 2);
    CHECK(spikes.bins == 3);
    CHECK(spikes.neurons == 4);
    CHECK(!spikes.one_recording);
    CHECK(spikes.counts == ints);
  }
  CHECK(has(refusal([&] { tool::read_spikes(folder / "npy.h5", "other"); }), "a .npy file has no dataset other"));
  const tool::SpikeCounts one = tool::read_spikes(folder / "hdf5.npy", "other");
  CHECK(one.trials == 1);
  CHECK(one.bins == 6);
  CHECK(one.neurons == 4);
  CHECK(one.one_recording);
  CHECK(one.counts == ints);
}

TEST_CASE("counts of every type are read, up to the largest", "[tools][spikes]") {
  const TemporaryFolder folder;
  const auto expect = [&](const char* type, const std::string& payload, std::int32_t last) {
    INFO(type);
    support::write(folder / "a.npy", npy(npy_dict(type, "(2, 3, 4)"), payload));
    CHECK(tool::read_spikes(folder / "a.npy").counts == counts<std::int32_t>(last));
  };
  constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
  expect("|u1", bytes_of(counts<std::uint8_t>(255)), 255);
  expect("|i1", bytes_of(counts<std::int8_t>(127)), 127);
  expect("<u2", bytes_of(counts<std::uint16_t>(65535)), 65535);
  expect("<u4", bytes_of(counts<std::uint32_t>(most)), most);
  expect(">i4", bytes_of(counts<std::int32_t>(most), true), most);
  expect("<i8", bytes_of(counts<std::int64_t>(most)), most);
  expect("<u8", bytes_of(counts<std::uint64_t>(most)), most);
  expect("<f4", bytes_of(counts<float>(0x1p30f)), 1 << 30);
  expect(">f8", bytes_of(counts<double>(most), true), most);
  expect("<f8", bytes_of(counts<double>(-0.0)), 0);
}

TEST_CASE("negative, fractional, infinite and too large counts are refused with their place", "[tools][spikes]") {
  const TemporaryFolder folder;
  const std::string place = " at trial 1, bin 2, neuron 3 (from 0), counts are whole numbers from 0 to 2147483647";
  CHECK(has(refused_npy<std::int8_t>(folder, "|i1", -1), "a negative count, "));
  CHECK(has(refused_npy<std::int8_t>(folder, "|i1", -1), "bad.npy has -1" + place));
  CHECK(has(refused_npy<std::int64_t>(folder, "<i8", -5000000000), "has -5000000000" + place));
  CHECK(has(refused_npy<std::uint32_t>(folder, "<u4", 0x80000000u), "a count that is too large, "));
  CHECK(has(refused_npy<std::uint32_t>(folder, "<u4", 0x80000000u), "has 2147483648" + place));
  CHECK(has(refused_npy<std::uint64_t>(folder, "<u8", ~std::uint64_t{0}), "has 18446744073709551615" + place));
  CHECK(has(refused_npy<float>(folder, "<f4", 0.5f), "a count that is not whole, "));
  CHECK(has(refused_npy<float>(folder, "<f4", 0.5f), "has 0.5" + place));
  CHECK(has(refused_npy<double>(folder, "<f8", std::nan("")), "a count that is not finite, "));
  CHECK(has(refused_npy<double>(folder, "<f8", -std::nan("")), "has nan" + place));
  CHECK(has(refused_npy<double>(folder, "<f8", -INFINITY), "has -inf" + place));
  CHECK(has(refused_npy<double>(folder, "<f8", 1e10), "a count that is too large, "));

  CHECK(has(refused_hdf5<std::int32_t>(folder, -3), "a negative count, dataset spikes of "));
  CHECK(has(refused_hdf5<std::int32_t>(folder, -3), "bad.h5 has -3" + place));
  CHECK(has(refused_hdf5<float>(folder, 1.25f), "has 1.25" + place));
  CHECK(has(refused_hdf5<double>(folder, std::nan("")), "has nan" + place));
}

TEST_CASE("in one recording a bad count is named by bin and neuron", "[tools][spikes]") {
  const TemporaryFolder folder;
  support::write(folder / "a.npy", npy(npy_dict("<i2", "(6, 4)"), bytes_of(counts<std::int16_t>(-2))));
  CHECK(has(refusal([&] { tool::read_spikes(folder / "a.npy"); }), "has -2 at bin 5, neuron 3 (from 0)"));
}

TEST_CASE("a wrong rank or number of neurons is refused with the numbers", "[tools][spikes]") {
  const TemporaryFolder folder;
  const auto values = counts<std::int32_t>(0);
  tool::write_hdf5(folder / "a.h5", {{"one", {24}, std::span(values)},
                                     {"four", {1, 2, 3, 4}, std::span(values)},
                                     {"none", {}, std::span(values).first(1)},
                                     {"spikes", {2, 3, 4}, std::span(values)}});
  const auto refused = [&](const char* key, std::optional<std::size_t> neurons = {}) {
    return refusal([&] { tool::read_spikes(folder / "a.h5", key, neurons); });
  };
  CHECK(has(refused("one"), "an array of shape [24], dataset one of "));
  CHECK(has(refused("four"), "an array of shape [1, 2, 3, 4], "));
  CHECK(has(refused("none"), "an array of shape [], "));
  CHECK(has(refused("spikes", 71), "counts of 4 neurons (shape [2, 3, 4])"));
  CHECK(has(refused("spikes", 71), "71 neurons are needed for this model"));
  CHECK(refused("spikes", 4).empty());
  CHECK(has(refused("valid_data"), "no such dataset"));
  CHECK(!has(refused("valid_data"), "--key"));
  tool::write_hdf5(folder / "b.h5", {{"one", {24}, std::span(values)}});
  CHECK(has(refusal([&] { tool::read_spikes(folder / "b.h5"); }), "--key with one of those there: one"));
}

TEST_CASE("a file of spikes that is neither kind is refused", "[tools][spikes]") {
  const TemporaryFolder folder;
  support::write(folder / "a.npz", "PK\3\4");
  support::write(folder / "short", "\x93NUM");
  CHECK(has(refusal([&] { tool::read_spikes(folder / "a.npz"); }), "neither an HDF5 nor a .npy file"));
  CHECK(has(refusal([&] { tool::read_spikes(folder / "short"); }), "neither an HDF5 nor a .npy file"));
  CHECK(has(refusal([&] { tool::read_spikes(folder / "missing"); }), "cannot open the file"));
  CHECK(has(refusal([&] { tool::read_spikes(folder.path()); }), "this is a folder"));
}
