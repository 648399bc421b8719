// The .npy reader: every type, order and version, and everything that is refused.
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "../../tools/io/npy.hpp"
#include "../support/catch.hpp"
#include "../support/noise.hpp"
#include "files.hpp"
#include "npy_bytes.hpp"

using support::bytes_of, support::has, support::npy, support::npy_dict, support::refusal;

namespace {

tool::NumberArray parsed(const std::string& file) { return tool::parse_npy(support::as_bytes(file), "a.npy"); }

template <class T>
std::vector<T> values_of(const std::string& file) {
  return std::get<std::vector<T>>(parsed(file).values);
}

std::string refused(const std::string& file) {
  return refusal([&] { parsed(file); });
}

/// The extremes of Stored come back as Kept, of either byte order.
template <class Stored, class Kept>
void check_type(const std::string& type) {
  INFO(type);
  const std::vector<Stored> stored = {Stored(0), Stored(1), std::numeric_limits<Stored>::lowest(),
                                      std::numeric_limits<Stored>::max()};
  const std::vector<Kept> kept(stored.begin(), stored.end());
  CHECK(values_of<Kept>(npy(npy_dict("<" + type, "(4,)"), bytes_of(stored))) == kept);
  CHECK(values_of<Kept>(npy(npy_dict(">" + type, "(2, 2)"), bytes_of(stored, true))) == kept);
  CHECK(values_of<Kept>(npy(npy_dict("=" + type, "(4, 1)"), bytes_of(stored))) == kept);
  if (sizeof(Stored) == 1) CHECK(values_of<Kept>(npy(npy_dict("|" + type, "(4,)"), bytes_of(stored))) == kept);
}

}  // namespace

TEST_CASE("every type of .npy is read, of either byte order", "[tools][npy]") {
  check_type<std::int8_t, std::int32_t>("i1");
  check_type<std::int16_t, std::int32_t>("i2");
  check_type<std::int32_t, std::int32_t>("i4");
  check_type<std::int64_t, std::int64_t>("i8");
  check_type<std::uint8_t, std::int32_t>("u1");
  check_type<std::uint16_t, std::int32_t>("u2");
  check_type<std::uint32_t, std::int64_t>("u4");
  check_type<std::uint64_t, std::uint64_t>("u8");
  check_type<float, float>("f4");
  check_type<double, double>("f8");
  CHECK(values_of<std::int32_t>(npy(npy_dict("|b1", "(2,)"), std::string("\0\1", 2))) ==
        std::vector<std::int32_t>{0, 1});
}

TEST_CASE("half floats of .npy are widened exactly: subnormals, infinities and all", "[tools][npy]") {
  const std::vector<std::uint16_t> stored = {0x0000, 0x3c00, 0xc000, 0x3555, 0x7bff,
                                             0x0400, 0x0001, 0x03ff, 0x7c00, 0xfc00};
  const std::vector<float> widened = {0.f,      1.f,      -2.f,       0.333251953125f, 65504.f,
                                      0x1p-14f, 0x1p-24f, 0x3ffp-24f, INFINITY,        -INFINITY};
  CHECK(values_of<float>(npy(npy_dict("<f2", "(10,)"), bytes_of(stored))) == widened);
  CHECK(values_of<float>(npy(npy_dict(">f2", "(10,)"), bytes_of(stored, true))) == widened);
  CHECK(std::isnan(values_of<float>(npy(npy_dict("<f2", "()"), std::string("\x01\x7e")))[0]));
  CHECK(std::signbit(values_of<float>(npy(npy_dict("<f2", "()"), std::string("\x00\x80", 2)))[0]));
}

TEST_CASE("Fortran order is turned into C order", "[tools][npy]") {
  std::vector<std::uint16_t> stored(2 * 3 * 5);
  std::iota(stored.begin(), stored.end(), std::uint16_t(0));
  const auto array = parsed(npy(npy_dict("<u2", "(2, 3, 5)", true), bytes_of(stored)));
  CHECK(array.shape == tool::Shape{2, 3, 5});
  const auto& values = std::get<std::vector<std::int32_t>>(array.values);
  for (std::size_t a = 0; a < 2; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      for (std::size_t c = 0; c < 5; ++c) CHECK(values[(a * 3 + b) * 5 + c] == int(a + 2 * (b + 3 * c)));
    }
  }
  CHECK(values_of<float>(npy(npy_dict("<f4", "()", true), bytes_of<float>({2.5f}))) == std::vector<float>{2.5f});
  CHECK(values_of<float>(npy(npy_dict("<f4", "(1,)", true), bytes_of<float>({2.5f}))) == std::vector<float>{2.5f});
}

TEST_CASE("versions 1 to 3 of .npy are read, and dicts as other writers space them", "[tools][npy]") {
  const std::string payload = bytes_of<float>({1, 2});
  for (const int version : {1, 2, 3}) {
    CHECK(values_of<float>(npy(npy_dict("<f4", "(2,)"), payload, version)) == std::vector<float>{1, 2});
  }
  for (const char* dict : {"{'descr':'<f4','fortran_order':False,'shape':(2,)}",
                           "{\"shape\": (1L, 2L), \"descr\": \"<f4\", \"fortran_order\": False}",
                           "  { 'fortran_order' : True , 'shape' : ( 2 , 1 , ) , 'descr' : '<f4' , }  \n"}) {
    INFO(dict);
    CHECK(values_of<float>(npy(dict, payload)) == std::vector<float>{1, 2});
  }
}

TEST_CASE("types that are no plain numbers are refused by name, objects above all", "[tools][npy]") {
  for (const char* type : {"|O",  "<O8", "|O8", "<c8", "|S5", "<U3", "<M8[ns]", "<m8", "|V4", "<f16", "<f1", "<i3",
                           "<i0", "i4",  "<b2", "|f4", "|u2", "!f4", "<f4 ",    "",    "f",   "<f8x", "<f"}) {
    INFO(type);
    CHECK(has(refused(npy(npy_dict(type, "(2,)"), std::string(8, '\0'))),
              std::string("an array of type ") + type + ", a.npy"));
  }
  CHECK(has(refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", std::string(8, '\0'))),
            "an array of type a structure"));
  CHECK(has(refused(npy("{'d\x9b\xff': 1}", "")), "key d?? is unknown"));
  CHECK(has(refused(npy(npy_dict("<\xc2\x9b", "(2,)"), "")), "an array of type <??, a.npy"));
}

TEST_CASE("a header that is not quite one is refused, and the place named", "[tools][npy]") {
  for (const char* dict : {"",
                           "{",
                           "}",
                           "{}",
                           "()",
                           "{'descr': '<f4'}",
                           "{'descr': '<f4', 'fortran_order': False}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,,)}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (0x2,)}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': [2]}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)",
                           "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
                           "{'descr': '<f4', 'fortran_order': Falsehood, 'shape': (2,)}",
                           "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
                           "{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}",
                           "{'descr', '<f4'}",
                           "{'descr: '<f4'}",
                           "{descr: '<f4'}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                           "{'descr': '<f4', 'fortran_order': False, 'shape': "
                           "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2)}"}) {
    INFO(dict);
    const std::string message = refused(npy(dict, bytes_of<float>({1, 2})));
    CHECK(has(message, "a bad .npy header: "));
    CHECK(has(message, "a.npy byte "));
    CHECK(has(message, " of the header, "));
  }
}

TEST_CASE("the bytes in the file must be those that the header promises", "[tools][npy]") {
  const std::string payload = bytes_of<float>({1, 2, 3, 4});
  CHECK(refused(npy(npy_dict("<f4", "(4,)"), payload)).empty());
  for (const char* shape : {"()", "(3,)", "(5,)", "(2, 3)", "(4, 4)", "(4294967296, 4294967296)",
                            "(18446744073709551615, 2)", "(4611686018427387908,)", "(9223372036854775808, 2)"}) {
    INFO(shape);
    CHECK(has(refused(npy(npy_dict("<f4", shape), payload)), "the two must agree"));
  }
  CHECK(has(refused(npy(npy_dict("<f4", "(0,)"), "")), "is empty"));
  CHECK(has(refused(npy(npy_dict("<f4", "(0, 18446744073709551615, 18446744073709551615)"), "")), "no size may be 0"));
  CHECK(has(refused(npy(npy_dict("|b1", "(4,)"), std::string("\0\1\2\1", 4))), "neither 0 nor 1"));
}

TEST_CASE("a .npy file cut anywhere is refused", "[tools][npy]") {
  for (const int version : {1, 2, 3}) {
    const std::string whole = npy(npy_dict("<i2", "(3, 5)"), std::string(30, '\1'), version);
    REQUIRE(refused(whole).empty());
    for (std::size_t size = 0; size < whole.size(); ++size) CHECK(!refused(whole.substr(0, size)).empty());
    CHECK(!refused(whole + '\0').empty());
  }
}

TEST_CASE("wrong magic, versions and header lengths are refused", "[tools][npy]") {
  const std::string whole = npy(npy_dict("<f4", "(1,)"), bytes_of<float>({1}));
  const auto with = [&](std::size_t at, int byte) {
    std::string file = whole;
    file[at] = static_cast<char>(byte);
    return refused(file);
  };
  for (std::size_t i = 0; i < 6; ++i) CHECK(has(with(i, 'x'), "not a .npy file"));
  CHECK(has(with(6, 0), ".npy version 0.0"));
  CHECK(has(with(6, 4), ".npy version 4.0"));
  CHECK(has(with(7, 1), ".npy version 1.1"));
  CHECK(has(with(9, 0xff), "a .npy header of 65"));
  std::string large = npy(npy_dict("<f4", "(1,)") + std::string(70000, ' '), bytes_of<float>({1}), 2);
  CHECK(has(refused(large), "at most 65536"));
  CHECK(has(refused(std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12)), "a .npy header of 4294967295 bytes"));
  CHECK(has(refused(std::string("\x93NUMPY\2\0\xff\xff\xff", 11)), "truncated"));
}

TEST_CASE("numbers come out of .npy as the wanted type, or are refused and named", "[tools][npy]") {
  const auto as_float = [](const std::string& file) {
    return tool::converted<float>(parsed(file), "a.npy", "a number that float32 can hold");
  };
  CHECK(as_float(npy(npy_dict("<i8", "(2,)"), bytes_of<std::int64_t>({-3, 1 << 24}))).values ==
        std::vector<float>{-3, 0x1p24f});
  CHECK(has(refusal([&] {
              as_float(npy(npy_dict("<i4", "(1, 2)"), bytes_of<std::int32_t>({0, (1 << 24) + 1})));
            }),
            "the number 16777217 at [0, 1], a.npy, every value must be a number that float32 can hold"));
}

TEST_CASE("exactly() keeps the number or gives nothing, at the edges of every type", "[tools][numbers]") {
  using tool::exactly;
  using L = std::numeric_limits<std::int64_t>;
  using U = std::numeric_limits<std::uint64_t>;
  CHECK(exactly<std::int64_t>(-0x1p63) == L::min());
  CHECK(!exactly<std::int64_t>(0x1p63));
  CHECK(!exactly<std::int64_t>(std::nextafter(-0x1p63, -INFINITY)));
  CHECK(exactly<std::uint64_t>(0.0) == 0u);
  CHECK(!exactly<std::uint64_t>(-1.0));
  CHECK(!exactly<std::uint64_t>(0x1p64));
  CHECK(exactly<std::int32_t>(2147483647.0) == 2147483647);
  CHECK(!exactly<std::int32_t>(2147483648.0));
  CHECK(exactly<std::int32_t>(-0x1p31f) == std::numeric_limits<std::int32_t>::min());
  CHECK(!exactly<std::int32_t>(0x1p31f));
  CHECK(!exactly<std::int32_t>(0.5));
  CHECK(!exactly<std::int32_t>(std::nan("")));
  CHECK(!exactly<std::int32_t>(-INFINITY));
  CHECK(!exactly<double>(L::max()));
  CHECK(!exactly<double>(U::max()));
  CHECK(!exactly<float>(U::max()));
  CHECK(exactly<double>(L::min()) == -0x1p63);
  CHECK(exactly<double>(std::uint64_t{1} << 63) == 0x1p63);
  CHECK(exactly<float>(0.1) == 0.1f);
  CHECK(!exactly<float>(1e39));
  CHECK(exactly<float>(double(std::numeric_limits<float>::max())) == std::numeric_limits<float>::max());
  CHECK(exactly<float>(double(INFINITY)) == INFINITY);
  CHECK(std::isnan(*exactly<float>(std::nan(""))));
  CHECK(!exactly<std::int32_t>(std::int64_t{1} << 31));
  CHECK(!exactly<std::int64_t>(U::max()));
}

TEST_CASE("a .npy file is read from disk", "[tools][npy]") {
  const support::TemporaryFolder folder;
  support::write(folder / "a.npy", npy(npy_dict("<f8", "(2,)"), bytes_of<double>({0.1, 2})));
  CHECK(std::get<std::vector<double>>(tool::read_npy(folder / "a.npy").values) == std::vector<double>{0.1, 2});
  CHECK(has(refusal([&] { tool::read_npy(folder / "b.npy"); }), "cannot open the file"));
}

TEST_CASE("random damage to a .npy file gives an answer or Refused", "[tools][npy]") {
  support::Random random(5);
  const std::string whole = npy(npy_dict("<u2", "(3, 4, 5)", true), std::string(120, '\1'));
  int read = 0, refusals = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string file = whole;
    for (std::size_t flips = 1 + random.below(3); flips-- > 0;) {
      file[random.below(file.size())] = static_cast<char>(random.bits());
    }
    ++(refused(file).empty() ? read : refusals);
  }
  CHECK(read > 1000);
  CHECK(refusals > 1000);
}
