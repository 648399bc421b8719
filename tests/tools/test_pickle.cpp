// What the unpickler builds, and what it will not.
#include "../../tools/io/pickle.hpp"

#include "../support/catch.hpp"
#include "../support/torch_writer.hpp"
#include "says.hpp"

using support::Pickle;
using support::refusal;
using support::says;
using tool::pickle::Document;
using tool::pickle::Kind;
using tool::pickle::Value;

namespace {

struct Parsed {
  std::string bytes;
  Document document;
  explicit Parsed(std::string pickle) : bytes(std::move(pickle)), document(tool::pickle::parse(bytes, "test")) {}
  const Value& top() const { return document.top(); }
  const Value& item(std::size_t i) const { return document[top().items.at(i)]; }
};

std::string refused(const std::string& pickle) {
  return refusal([&] { tool::pickle::parse(pickle, "test"); });
}

}  // namespace

TEST_CASE("plain values come back as they went in", "[tools][pickle]") {
  const Parsed list(Pickle()
                        .raw("](")
                        .none()
                        .boolean(true)
                        .boolean(false)
                        .integer(-5)
                        .integer(INT64_MIN)
                        .real(-0.1)
                        .text("spikes")
                        .raw("K\xffM\xff\xffJ\xfe\xff\xff\xff")
                        .raw("e")
                        .stop());
  REQUIRE(list.top().kind == Kind::list);
  REQUIRE(list.top().items.size() == 10);
  CHECK(list.item(0).kind == Kind::none);
  CHECK((list.item(1).kind == Kind::boolean && list.item(1).integer == 1));
  CHECK((list.item(2).kind == Kind::boolean && list.item(2).integer == 0));
  CHECK(list.item(3).integer == -5);
  CHECK(list.item(4).integer == INT64_MIN);
  CHECK((list.item(5).kind == Kind::real && list.item(5).real == -0.1));
  CHECK((list.item(6).kind == Kind::text && list.item(6).text == "spikes"));
  CHECK(list.item(7).integer == 255);
  CHECK(list.item(8).integer == 65535);
  CHECK(list.item(9).integer == -2);
  CHECK(list.document.length == list.bytes.size());
}

TEST_CASE("long integers of any length up to 64 bits keep their sign", "[tools][pickle]") {
  const auto value = [](const std::string& digits) {
    return Parsed(Pickle().raw("\x8a").raw(std::string(1, static_cast<char>(digits.size()))).raw(digits).stop())
        .top()
        .integer;
  };
  CHECK(value("") == 0);
  CHECK(value("\xff") == -1);
  CHECK(value(std::string("\xff\0", 2)) == 255);
  CHECK(value(std::string("\0\x80", 2)) == -32768);
  CHECK(value("\1\2\3") == 0x030201);
  CHECK(says(refused(Pickle()
                         .raw("\x8a\x09"
                              "123456789")
                         .stop()),
             "9 bytes", "byte 2", "at most 8"));
}

TEST_CASE("dictionaries, sets and tuples are read in every protocol's spelling", "[tools][pickle]") {
  const Parsed dict(
      Pickle().raw("}").text("a").integer(1).raw("s(").text("b").integer(2).integer(3).integer(4).raw("u").stop());
  REQUIRE(dict.top().kind == Kind::dict);
  CHECK(dict.document.find(dict.top(), "a")->integer == 1);
  CHECK(dict.document.find(dict.top(), "b")->integer == 2);
  CHECK(dict.document.find(dict.top(), "c") == nullptr);
  CHECK(Parsed(Pickle().integer(1).integer(2).integer(3).raw("\x87").stop()).top().items.size() == 3);
  CHECK(Parsed(Pickle().raw("(").integer(1).raw("t").stop()).top().kind == Kind::tuple);
  CHECK(Parsed(Pickle().global("builtins", "set").raw("](").integer(1).raw("e\x85R").stop()).top().items.size() == 1);
  // Protocol 4: frames, short texts, memo without numbers, sets, names from the stack.
  std::string frame("\x80\x04\x95\x1c\0\0\0\0\0\0\0", 11);
  const Parsed modern(frame +
                      "\x8f\x94(\x8c\1a\x94\x8c\1b\x94\x90"
                      "0\x8c\x0b"
                      "collections\x8c\x0bOrderedDict\x93)R.");
  CHECK(modern.top().kind == Kind::dict);
}

TEST_CASE("a NumPy scalar is a number", "[tools][pickle]") {
  const auto scalar = [](const std::string& module, const std::string& type, const std::string& bytes) {
    Pickle p;
    p.global(module, "scalar")
        .mark()
        .global("numpy", "dtype")
        .mark()
        .text(type)
        .boolean(false)
        .boolean(true)
        .tuple()
        .reduce();
    p.mark().integer(3).text("<").tuple().raw("b");
    p.raw("C").raw(std::string(1, static_cast<char>(bytes.size()))).raw(bytes).tuple().reduce();
    return p.stop();
  };
  const std::string tenth = support::number_bytes(std::bit_cast<std::uint64_t>(0.1));
  CHECK(Parsed(scalar("numpy.core.multiarray", "f8", tenth)).top().real == 0.1);
  CHECK(Parsed(scalar("numpy._core.multiarray", "f4", std::string("\0\0\x80\x3f", 4))).top().real == 1.0);
  CHECK(Parsed(scalar("numpy.core.multiarray", "f2", std::string("\0\xc0", 2))).top().real == -2.0);
  CHECK(Parsed(scalar("numpy.core.multiarray", "i8", std::string(8, '\xff'))).top().integer == -1);
  CHECK(Parsed(scalar("numpy.core.multiarray", "i4", "\1\1\1\1")).top().integer == 0x01010101);
  CHECK(Parsed(scalar("numpy.core.multiarray", "i2", "\xfe\xff")).top().integer == -2);
  CHECK(Parsed(scalar("numpy.core.multiarray", "i1", "\xfd")).top().integer == -3);
  CHECK(Parsed(scalar("numpy.core.multiarray", "u4", "\xff\xff\xff\xff")).top().integer == 0xffffffff);
  CHECK(Parsed(scalar("numpy.core.multiarray", "u2", "\xff\xff")).top().integer == 0xffff);
  CHECK(Parsed(scalar("numpy.core.multiarray", "u1", "\xff")).top().integer == 255);
  CHECK(Parsed(scalar("numpy.core.multiarray", "u8", std::string("\5\0\0\0\0\0\0\0", 8))).top().integer == 5);
  CHECK(Parsed(scalar("numpy.core.multiarray", "b1", "\1")).top().kind == Kind::boolean);
  CHECK(says(refused(scalar("numpy.core.multiarray", "f8", "1234567")), "f8", "another number of bytes",
             "8 are expected"));
  CHECK(says(refused(scalar("numpy.core.multiarray", "f8", "123456789")), "another number of bytes"));
  CHECK(says(refused(scalar("numpy.core.multiarray", "u8", std::string(8, '\xff'))), "too large"));
  CHECK(says(refused(scalar("numpy.core.multiarray", "O8", "12345678")), "type O8"));
}

TEST_CASE("a NumPy scalar in bytes of protocol 2 is decoded", "[tools][pickle]") {
  const auto scalar = [](const std::string& text) {
    Pickle p;
    p.global("numpy.core.multiarray", "scalar").mark().global("numpy", "dtype").mark().text("f8").tuple().reduce();
    return p.global("_codecs", "encode").mark().text(text).text("latin1").tuple().reduce().tuple().reduce().stop();
  };
  // -1.5 is 00 00 00 00 00 00 f8 bf.
  CHECK(Parsed(scalar(std::string("\0\0\0\0\0\0\xc3\xb8\xc2\xbf", 10))).top().real == -1.5);
  CHECK(says(refused(scalar("\xe2\x82\xac")), "not latin-1"));
}

TEST_CASE("whatever is outside the closed list is refused by name", "[tools][pickle]") {
  CHECK(says(refused(Pickle().global("os", "system").text("true").raw("\x85R").stop()), "os.system", "byte 2",
             "nothing is ever executed"));
  CHECK(says(refused(Pickle().global("builtins", "eval").stop()), "builtins.eval"));
  CHECK(says(refused(Pickle().global("torch", "load").stop()), "torch.load"));
  CHECK(says(refused(Pickle().global("torch.nn.modules.linear", "Linear").stop()), "torch.nn.modules.linear.Linear"));
  CHECK(says(refused("\x80\x04\x8c\5posix\x8c\6system\x93."), "posix.system"));
  CHECK(says(refused(Pickle().global("a\rb", "c\x1b[2J").stop()), "a?b.c?[2J"));
  for (const auto& [instruction, name] : {std::pair<const char*, const char*>{"iposix\nsystem\n", "INST"},
                                          {"(o", "OBJ"},
                                          {"\x82\1", "EXT1"},
                                          {"\x97", "NEXT_BUFFER"},
                                          {"I5\n", "INT"},
                                          {"Pid\n", "PERSID"},
                                          {"\x92", "NEWOBJ_EX"},
                                          {"\xee", "number 238"}}) {
    INFO(name);
    CHECK(says(refused(Pickle().raw(instruction).stop()), name, "byte"));
  }
  CHECK(says(refused("\x80\x06N."), "protocol 6"));
}

TEST_CASE("known names take only the arguments that PyTorch gives them", "[tools][pickle]") {
  for (const auto& [module, name] : {std::pair{"collections", "OrderedDict"},
                                     {"yacs.config", "CfgNode"},
                                     {"torch", "Size"},
                                     {"torch", "device"},
                                     {"torch", "FloatStorage"},
                                     {"torch._utils", "_rebuild_tensor_v2"},
                                     {"torch._utils", "_rebuild_parameter"},
                                     {"numpy", "dtype"},
                                     {"_codecs", "encode"},
                                     {"builtins", "set"},
                                     {"numpy.core.multiarray", "scalar"}}) {
    INFO(name);
    CHECK(!refused(Pickle().global(module, name).integer(1).integer(2).raw("\x86R").stop()).empty());
    CHECK(!refused(Pickle().global(module, name).integer(1).raw("R").stop()).empty());
  }
  CHECK(says(refused(Pickle().integer(1).raw(")R").stop()), "cannot be called"));
  CHECK(says(refused(Pickle().raw("]}b").stop()), "gives a state"));
  CHECK(says(refused(Pickle()
                         .global("numpy", "dtype")
                         .mark()
                         .text("f8")
                         .tuple()
                         .reduce()
                         .mark()
                         .integer(3)
                         .text(">")
                         .tuple()
                         .raw("b")
                         .stop()),
             "byte order >"));
  CHECK(Parsed(Pickle().global("torch", "device").text("cuda").integer(0).raw("\x86R").stop()).top().text == "cuda");
  CHECK(Parsed(Pickle().global("torch", "Size").integer(3).raw("\x85\x85R").stop()).top().items.size() == 1);
}

TEST_CASE("a persistent id is a storage or refused", "[tools][pickle]") {
  CHECK(
      says(refused(Pickle().mark().text("module").integer(1).tuple().raw("Q").stop()), "module", "not whole modules"));
  CHECK(says(refused(Pickle().integer(1).raw("Q").stop()), "no storage"));
  const auto storage = [](const char* type, std::int64_t count) {
    return Pickle().mark().text("storage").global("torch", type).text("0").text("cuda:3").integer(count);
  };
  CHECK(Parsed(storage("HalfStorage", 4).tuple().raw("Q").stop()).document.storages.at(0).count == 4);
  CHECK(refused(storage("HalfStorage", 4).none().tuple().raw("Q").stop()).empty());
  CHECK(says(refused(storage("HalfStorage", 4).integer(1).tuple().raw("Q").stop()), "view of another"));
  CHECK(says(refused(storage("HalfStorage", -4).tuple().raw("Q").stop()), "type, key, device and size"));
  CHECK(says(refused(storage("Size", 4).tuple().raw("Q").stop()), "type, key, device and size"));
}

TEST_CASE("a tensor is made of a storage and a shape or refused", "[tools][pickle]") {
  const auto tensor = [](std::int64_t offset, const std::string& size, const std::string& stride) {
    Pickle p;
    p.global("torch._utils", "_rebuild_tensor_v2").mark();
    p.mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").integer(4).tuple().raw("Q");
    return p.integer(offset).raw(size).raw(stride).boolean(false).none().tuple().reduce().stop();
  };
  CHECK(refused(tensor(0, "K\4\x85", "K\1\x85")).empty());
  CHECK(says(refused(tensor(-1, "K\4\x85", "K\1\x85")), "offset"));
  CHECK(says(refused(tensor(0, "K\4\x85", ")")), "1 sizes and 0 strides"));
  CHECK(says(refused(tensor(0, "K\4", "K\1\x85")), "as size"));
  CHECK(says(refused(tensor(0, "K\4\x85", "J\xff\xff\xff\xff\x85")), "as stride"));
  CHECK(says(refused(tensor(0, "(NNNNNNNNNt", "K\1\x85")), "at most 8"));
}

TEST_CASE("a damaged pickle is refused with the place", "[tools][pickle]") {
  for (const auto& [pickle, part] : {std::pair<std::string, const char*>{"", "ends"},
                                     {"\x80", "ends"},
                                     {"\x80\x02N", "ends"},
                                     {"\x80\x02.", "empty stack"},
                                     {"\x80\x02NN.", "left over"},
                                     {"\x80\x02(N.", "left over"},
                                     {"\x80\x02t.", "mark"},
                                     {"\x80\x02h\x05.", "never stored"},
                                     {"\x80\x02q\x05.", "empty stack"},
                                     {"\x80\x02N\x86.", "empty stack"},
                                     {"\x80\x02NNa.", "no list"},
                                     {"\x80\x02NNNs.", "neither text nor an integer"},
                                     {"\x80\x02}(K\1u.", "without a value"},
                                     {"\x80\x02NK\1Ns.", "no dictionary"},
                                     {"\x80\x02X\xff\xff\xff\xff"
                                      "abc.",
                                      "needs 4294967295 bytes"},
                                     {"\x80\x02\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
                                      "abc.",
                                      "needs 18446744073709551615"},
                                     {"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "frame"},
                                     {"\x80\x02"
                                      "cos",
                                      "no end"}}) {
    INFO(part);
    CHECK(says(refused(pickle), part, "test byte"));
  }
}

TEST_CASE("values that contain themselves are only data", "[tools][pickle]") {
  const Parsed list(Pickle().raw("]q\1h\1a").stop());
  CHECK(list.top().items.at(0) == list.document.root);
  const Parsed dict(Pickle().raw("}q\1").text("self").raw("h\1s").stop());
  CHECK(dict.document.find(dict.top(), "self") == &dict.top());
}

TEST_CASE("deep nesting and repeated use take memory in proportion to the pickle", "[tools][pickle]") {
  const std::size_t depth = 1'000'000;
  const Parsed deep(Pickle().raw(std::string(depth, ']')).raw(std::string(depth - 1, 'a')).stop());
  CHECK(deep.document.values.size() == depth);
  // Each list holds the one before twice: 2^200 leaves if it were written out.
  Pickle p;
  p.raw(
      "]q\1"
      "0");
  for (int i = 0; i < 200; ++i)
    p.raw(
        "](h\1h\1eq\1"
        "0");
  CHECK(Parsed(p.raw("h\1").stop()).document.values.size() == 201);
}
