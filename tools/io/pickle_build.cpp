// tools/io/pickle_build.cpp
#include "pickle_build.hpp"

#include <array>
#include <limits>

#include "bytes.hpp"

namespace tool::pickle {

namespace {

struct Known {
  std::string_view module, name;
  Global global;
  ElementType element = ElementType::f32;
};

constexpr std::array known = {
    Known{"collections", "OrderedDict", Global::ordered_dict},
    Known{"__builtin__", "set", Global::set},
    Known{"builtins", "set", Global::set},
    Known{"yacs.config", "CfgNode", Global::cfg_node},
    Known{"torch._utils", "_rebuild_tensor_v2", Global::rebuild_tensor},
    Known{"torch._utils", "_rebuild_parameter", Global::rebuild_parameter},
    Known{"torch", "Size", Global::torch_size},
    Known{"torch", "device", Global::torch_device},
    Known{"torch", "DoubleStorage", Global::storage, ElementType::f64},
    Known{"torch", "FloatStorage", Global::storage, ElementType::f32},
    Known{"torch", "HalfStorage", Global::storage, ElementType::f16},
    Known{"torch", "BFloat16Storage", Global::storage, ElementType::bf16},
    Known{"torch", "LongStorage", Global::storage, ElementType::i64},
    Known{"torch", "IntStorage", Global::storage, ElementType::i32},
    Known{"torch", "ShortStorage", Global::storage, ElementType::i16},
    Known{"torch", "CharStorage", Global::storage, ElementType::i8},
    Known{"torch", "ByteStorage", Global::storage, ElementType::u8},
    Known{"torch", "BoolStorage", Global::storage, ElementType::boolean},
    Known{"numpy.core.multiarray", "scalar", Global::numpy_scalar},
    Known{"numpy._core.multiarray", "scalar", Global::numpy_scalar},
    Known{"numpy", "dtype", Global::numpy_dtype},
    Known{"_codecs", "encode", Global::codecs_encode},
};

constexpr std::size_t largest_rank = 8;

[[noreturn]] void refuse(const std::string& what, const std::string& place, const std::string& right) {
  throw Refused(what, place, right);
}

/// Sizes or strides: a short tuple of numbers that are not negative.
std::vector<std::size_t> sizes_of(const Document& document, Ref ref, const char* name, const std::string& place) {
  const Value& tuple = document[ref];
  const std::string right = std::string("a tuple of at most 8 non-negative integers is expected as ") + name;
  if (tuple.kind != Kind::tuple || tuple.items.size() > largest_rank) refuse("a tensor has an odd shape", place, right);
  std::vector<std::size_t> sizes;
  for (const Ref item : tuple.items) {
    const Value& size = document[item];
    if (size.kind != Kind::integer || size.integer < 0) refuse("a tensor has an odd shape", place, right);
    sizes.push_back(static_cast<std::size_t>(size.integer));
  }
  return sizes;
}

/// torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata]). Whether the view
/// lies inside its storage is checked when it is read.
Value tensor_of(Document& document, const std::vector<Ref>& arguments, const std::string& place) {
  if (arguments.size() < 6 || document[arguments[0]].kind != Kind::storage ||
      document[arguments[1]].kind != Kind::integer || document[arguments[1]].integer < 0) {
    refuse("a tensor is not made of storage, offset, size and stride", place, "torch.save writes these");
  }
  TensorView view{static_cast<std::size_t>(document[arguments[0]].integer),
                  static_cast<std::size_t>(document[arguments[1]].integer),
                  sizes_of(document, arguments[2], "size", place), sizes_of(document, arguments[3], "stride", place)};
  if (view.size.size() != view.stride.size()) {
    refuse("a tensor has " + std::to_string(view.size.size()) + " sizes and " + std::to_string(view.stride.size()) +
               " strides",
           place, "one stride for each size is expected");
  }
  Value tensor{Kind::tensor};
  tensor.integer = static_cast<std::int64_t>(document.tensors.size());
  document.tensors.push_back(std::move(view));
  return tensor;
}

/// The first `limit` bytes of a bytes value.
std::string decoded(const Value& value, std::size_t limit, const std::string& place) {
  if (!value.is_latin1) return std::string(value.text.substr(0, limit));
  std::string result;
  for (std::size_t i = 0; i < value.text.size() && result.size() < limit; ++i) {
    const unsigned char c = static_cast<unsigned char>(value.text[i]);
    if (c < 0x80) {
      result += static_cast<char>(c);
    } else if ((c == 0xc2 || c == 0xc3) && i + 1 < value.text.size()) {
      result += static_cast<char>((c & 3) << 6 | (static_cast<unsigned char>(value.text[++i]) & 0x3f));
    } else {
      refuse("text is not latin-1", place, "characters below 256 are expected");
    }
  }
  return result;
}

/// numpy.core.multiarray.scalar(dtype, bytes).
Value scalar_of(const Document& document, const std::vector<Ref>& arguments, const std::string& place) {
  if (arguments.size() != 2 || document[arguments[0]].kind != Kind::numpy_dtype ||
      document[arguments[1]].kind != Kind::bytes) {
    refuse("a NumPy scalar is not made of a dtype and bytes", place, "numpy writes these");
  }
  const std::string_view type = document[arguments[0]].text;
  const std::string bytes = decoded(document[arguments[1]], 9, place);
  const auto is = [&](std::string_view name, std::size_t size) {
    if (type != name) return false;
    if (bytes.size() != size)
      refuse("a NumPy scalar of type " + printable(type) + " has another number of bytes", place,
             std::to_string(size) + " are expected");
    return true;
  };
  Value real{Kind::real}, integer{Kind::integer};
  if (is("f8", 8)) return real.real = load<double>(bytes), real;
  if (is("f4", 4)) return real.real = static_cast<double>(load<float>(bytes)), real;
  if (is("i8", 8)) return integer.integer = load<std::int64_t>(bytes), integer;
  if (is("i4", 4)) return integer.integer = load<std::int32_t>(bytes), integer;
  if (is("i2", 2)) return integer.integer = load<std::int16_t>(bytes), integer;
  if (is("i1", 1)) return integer.integer = load<std::int8_t>(bytes), integer;
  if (is("u4", 4)) return integer.integer = load<std::uint32_t>(bytes), integer;
  if (is("u2", 2)) return integer.integer = load<std::uint16_t>(bytes), integer;
  if (is("u1", 1)) return integer.integer = load<std::uint8_t>(bytes), integer;
  if (is("b1", 1)) {
    Value boolean{Kind::boolean};
    return boolean.integer = bytes[0] != 0, boolean;
  }
  if (is("f2", 2)) {
    Tensor half;
    append_element(half, ElementType::f16, bytes, 0);
    return real.real = static_cast<double>(half.values[0]), real;
  }
  if (is("u8", 8)) {
    if (load<std::int64_t>(bytes) < 0) refuse("a NumPy scalar is too large", place, "at most 2^63 - 1 is expected");
    return integer.integer = load<std::int64_t>(bytes), integer;
  }
  refuse("a NumPy scalar has type " + printable(type), place, "b1, i1 to i8, u1 to u8 or f2 to f8 is expected");
}

}  // namespace

Value find_global(std::string_view module, std::string_view name, const std::string& place) {
  for (const Known& entry : known) {
    if (entry.module != module || entry.name != name) continue;
    Value value{Kind::global};
    value.global = entry.global, value.element = entry.element;
    return value;
  }
  refuse("the pickle asks for " + printable(module) + "." + printable(name), place,
         "only tensors, plain data and yacs configurations are read and nothing is ever executed");
}

Built call(Document& document, Ref callable, Ref arguments, const std::string& place) {
  if (document[callable].kind != Kind::global || document[arguments].kind != Kind::tuple) {
    refuse("the pickle calls what cannot be called", place, "a known name with a tuple of arguments is expected");
  }
  const Global global = document[callable].global;
  const std::vector<Ref>& items = document[arguments].items;
  const auto argument_is = [&](std::size_t i, Kind kind) {
    return i < items.size() && document[items[i]].kind == kind;
  };
  const auto existing = [&](std::size_t i) { return Built{items[i], {}}; };
  switch (global) {
    case Global::ordered_dict:
    case Global::cfg_node:
      if (items.empty()) {
        Value dict{Kind::dict};
        dict.is_object = true;
        return {std::nullopt, std::move(dict)};
      }
      break;
    case Global::set:
      if (items.empty()) return {std::nullopt, Value{Kind::list}};
      if (items.size() == 1 && argument_is(0, Kind::list)) return existing(0);
      break;
    case Global::rebuild_tensor:
      return {std::nullopt, tensor_of(document, items, place)};
    case Global::rebuild_parameter:
      if (argument_is(0, Kind::tensor)) return existing(0);
      break;
    case Global::torch_size:
      if (items.size() == 1 && argument_is(0, Kind::tuple)) return existing(0);
      break;
    case Global::torch_device:
      if (argument_is(0, Kind::text)) return existing(0);
      break;
    case Global::numpy_scalar:
      return {std::nullopt, scalar_of(document, items, place)};
    case Global::numpy_dtype:
      if (argument_is(0, Kind::text)) {
        Value dtype{Kind::numpy_dtype};
        dtype.text = document[items[0]].text;
        return {std::nullopt, std::move(dtype)};
      }
      break;
    case Global::codecs_encode:
      if (items.size() == 2 && argument_is(0, Kind::text) && argument_is(1, Kind::text) &&
          document[items[1]].text == "latin1") {
        Value bytes{Kind::bytes};
        bytes.text = document[items[0]].text, bytes.is_latin1 = true;
        return {std::nullopt, std::move(bytes)};
      }
      break;
    case Global::storage:
      break;
  }
  refuse("the pickle calls a known name with other arguments", place, "what PyTorch, NumPy and yacs write is expected");
}

void set_state(const Document& document, Ref object, Ref state, const std::string& place) {
  const Value& target = document[object];
  const Value& attributes = document[state];
  // Attributes of a dictionary (a state_dict's metadata, a CfgNode's flags) say nothing about the model.
  if (target.kind == Kind::dict && target.is_object &&
      (attributes.kind == Kind::dict || attributes.kind == Kind::tuple)) {
    return;
  }
  if (target.kind == Kind::numpy_dtype && attributes.kind == Kind::tuple && attributes.items.size() >= 2) {
    const Value& order = document[attributes.items[1]];
    if (order.kind == Kind::text && (order.text == "<" || order.text == "|" || order.text == "=")) return;
    refuse("a NumPy scalar has byte order " + printable(order.text), place, "little-endian is expected");
  }
  refuse("the pickle gives a state to what has none", place, "only dictionaries and dtypes may have one");
}

Value storage_of(Document& document, Ref id, const std::string& place) {
  const std::vector<Ref>& items = document[id].items;
  const auto is = [&](std::size_t i, Kind kind) { return i < items.size() && document[items[i]].kind == kind; };
  if (document[id].kind != Kind::tuple || !is(0, Kind::text) || document[items[0]].text != "storage") {
    const bool named = document[id].kind == Kind::tuple && is(0, Kind::text);
    refuse("the pickle refers to " + (named ? "a " + printable(document[items[0]].text) : std::string("no storage")),
           place, "tensors and plain data are expected, not whole modules");
  }
  if (!is(1, Kind::global) || document[items[1]].global != Global::storage || !is(2, Kind::text) ||
      !is(3, Kind::text) || !is(4, Kind::integer) || document[items[4]].integer < 0) {
    refuse("a storage is not made of type, key, device and size", place, "torch.save writes these");
  }
  if (items.size() > 5 && !is(5, Kind::none)) {
    refuse("a storage is a view of another one", place,
           "PyTorch 1.0 and later write whole storages: save the file again");
  }
  Value storage{Kind::storage};
  storage.integer = static_cast<std::int64_t>(document.storages.size());
  document.storages.push_back(
      {document[items[1]].element, document[items[2]].text, static_cast<std::size_t>(document[items[4]].integer)});
  return storage;
}

}  // namespace tool::pickle
