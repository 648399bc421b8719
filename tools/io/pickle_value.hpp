// tools/io/pickle_value.hpp: what a pickle says, as plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "element_type.hpp"

namespace tool::pickle {

/// The only things from outside that a pickle may name. Nothing of Python runs: each is a rule of what to make of the
/// arguments (pickle_build.cpp).
enum class Global : std::uint8_t {
  ordered_dict,
  set,
  cfg_node,
  rebuild_tensor,
  rebuild_parameter,
  torch_size,
  torch_device,
  storage,
  numpy_scalar,
  numpy_dtype,
  codecs_encode,
};

enum class Kind : std::uint8_t {
  none,
  boolean,
  integer,
  magic,
  real,
  text,
  bytes,
  list,
  tuple,
  dict,
  global,
  storage,
  tensor,
  numpy_dtype
};

/// A value's place in its Document. Values refer to one another by place, so a pickle that contains itself is only a
/// loop of numbers.
using Ref = std::uint32_t;

struct Value {
  Kind kind = Kind::none;
  Global global{};           ///< of a global
  ElementType element{};     ///< of a global that is a storage type
  bool is_object = false;    ///< a dict that may be given attributes
  bool is_latin1 = false;    ///< bytes, spelled as UTF-8 text of characters below 256
  std::int64_t integer = 0;  ///< also booleans; of storages and tensors: the place in the Document's own list
  double real = 0;
  std::string_view text{};   ///< of text, bytes and a numpy_dtype; lies in the pickle
  std::vector<Ref> items{};  ///< of lists and tuples; of dicts: key, value, key, value ...
};

/// Numbers kept outside the pickle.
struct Storage {
  ElementType type;
  std::string_view key;
  std::size_t count;
};

/// A view of a storage.
struct TensorView {
  std::size_t storage;  ///< place in Document::storages
  std::size_t offset;
  std::vector<std::size_t> size, stride;
};

struct Document {
  std::vector<Value> values;
  std::vector<Storage> storages;
  std::vector<TensorView> tensors;
  Ref root = 0;
  std::size_t length = 0;  ///< bytes of the pickle; others may follow

  const Value& operator[](Ref ref) const { return values[ref]; }
  const Value& top() const { return values[root]; }

  /// The value of a text key. Null where there is none, or where `dict` is no dictionary.
  const Value* find(const Value& dict, std::string_view key) const {
    if (dict.kind != Kind::dict) return nullptr;
    for (std::size_t i = dict.items.size(); i >= 2; i -= 2) {  // the last one counts, as in Python
      const Value& name = values[dict.items[i - 2]];
      if (name.kind == Kind::text && name.text == key) return &values[dict.items[i - 1]];
    }
    return nullptr;
  }
};

}  // namespace tool::pickle
