// Writes checkpoints as torch.save and the reference's runner do, in both containers, without PyTorch.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <ndt/ndt.hpp>

#include "noise.hpp"
#include "zip_writer.hpp"

namespace support {

/// A pickle of protocol 2, instruction by instruction.
class Pickle {
 public:
  std::string bytes = "\x80\x02";

  Pickle& raw(std::string_view instructions) { return bytes += instructions, *this; }
  Pickle& none() { return raw("N"); }
  Pickle& boolean(bool value) { return raw(value ? "\x88" : "\x89"); }
  Pickle& integer(std::int64_t value) { return raw("\x8a\x08" + number_bytes(value)); }
  Pickle& real(double value) {
    std::string digits = number_bytes(std::bit_cast<std::uint64_t>(value));
    return raw("G" + std::string(digits.rbegin(), digits.rend()));
  }
  Pickle& text(std::string_view value) {
    return raw("X" + number_bytes(static_cast<std::uint32_t>(value.size()))).raw(value);
  }
  Pickle& global(const std::string& module, const std::string& name) { return raw("c" + module + "\n" + name + "\n"); }
  Pickle& mark() { return raw("("); }
  Pickle& tuple() { return raw("t"); }
  Pickle& reduce() { return raw("R"); }
  Pickle& ordered_dict() { return global("collections", "OrderedDict").raw(")R"); }
  std::string stop() const { return bytes + "."; }
};

/// Stored as `type`: Float, Double, Half, BFloat16, Long, Int, Short, Char, Byte or Bool.
struct TorchTensor {
  std::vector<std::size_t> shape;
  std::vector<double> values;
  std::string type = "Float";
  /// Set to take the elements in another order than row by row.
  std::vector<std::size_t> stride{};
  std::size_t offset = 0;
};

/// To binary16, for values that it can hold.
inline std::uint16_t half_bits(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  value = std::abs(value);
  if (std::isnan(value)) return 0x7e00;
  if (std::isinf(value)) return static_cast<std::uint16_t>(sign | 0x7c00);
  if (value < 0x1p-14) return static_cast<std::uint16_t>(sign | static_cast<int>(value * 0x1p24));
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return static_cast<std::uint16_t>(sign | (exponent + 14) << 10 | (static_cast<int>(mantissa * 2048) & 0x3ff));
}

inline std::string element_bytes(double value, const std::string& type) {
  if (type == "Float") return number_bytes(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  if (type == "Double") return number_bytes(std::bit_cast<std::uint64_t>(value));
  if (type == "Half") return number_bytes(half_bits(value));
  if (type == "BFloat16") {
    return number_bytes(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16));
  }
  const auto integer = static_cast<std::int64_t>(value);
  if (type == "Long") return number_bytes(integer);
  if (type == "Int") return number_bytes(static_cast<std::int32_t>(integer));
  if (type == "Short") return number_bytes(static_cast<std::int16_t>(integer));
  return number_bytes(static_cast<std::int8_t>(integer));
}

using ConfigValue = std::variant<bool, std::int64_t, double, std::string>;

/// A file of torch.save, built up value by value.
class TorchWriter {
 public:
  Pickle pickle;
  std::string device = "cpu";

  /// The tensor as a view of a storage of its own.
  void tensor(const TorchTensor& tensor) {
    const std::string key = std::to_string(storages_.size());
    std::string content;
    for (const double value : tensor.values) content += element_bytes(value, tensor.type);
    storages_.emplace_back(tensor.values.size(), content);
    view(tensor, key);
  }
  /// The tensor as a view of storage `key`, which may be a lie.
  void view(const TorchTensor& tensor, const std::string& key) {
    pickle.global("torch._utils", "_rebuild_tensor_v2").mark();
    pickle.mark().text("storage").global("torch", tensor.type + "Storage").text(key).text(device);
    pickle.integer(static_cast<std::int64_t>(tensor.values.size())).tuple().raw("Q");
    pickle.integer(static_cast<std::int64_t>(tensor.offset)).mark();
    for (const std::size_t size : tensor.shape) pickle.integer(static_cast<std::int64_t>(size));
    pickle.tuple().mark();
    std::vector<std::size_t> stride = tensor.stride;
    if (stride.empty()) {
      stride.assign(tensor.shape.size(), 1);
      for (std::size_t d = stride.size(); d-- > 1;) stride[d - 1] = stride[d] * tensor.shape[d];
    }
    for (const std::size_t step : stride) pickle.integer(static_cast<std::int64_t>(step));
    pickle.tuple().boolean(false).ordered_dict().tuple().reduce();
  }

  Entries entries() const {
    Entries entries{{"archive/data.pkl", pickle.stop()}, {"archive/byteorder", "little"}};
    for (std::size_t i = 0; i < storages_.size(); ++i) {
      entries.emplace_back("archive/data/" + std::to_string(i), storages_[i].second);
    }
    entries.emplace_back("archive/version", "3\n");
    return entries;
  }
  std::string zip(bool deflate = false) const { return zip_bytes(entries(), deflate); }

  std::string legacy() const {
    std::string file("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
    file += Pickle().raw("M\xe9\x03").stop();
    file += Pickle()
                .raw("}(")
                .text("protocol_version")
                .raw("M\xe9\x03")
                .text("little_endian")
                .boolean(true)
                .raw("u")
                .stop();
    file += pickle.stop();
    Pickle keys;
    keys.raw("](");
    for (std::size_t i = 0; i < storages_.size(); ++i) keys.text(std::to_string(i));
    file += keys.raw("e").stop();
    for (const auto& [count, content] : storages_) file += number_bytes(static_cast<std::uint64_t>(count)) + content;
    return file;
  }

 private:
  std::vector<std::pair<std::size_t, std::string>> storages_;
};

/// A checkpoint of the reference that tests can spoil.
struct TorchCheckpoint {
  std::vector<std::pair<std::string, TorchTensor>> state_dict;
  std::map<std::string, ConfigValue> model;  ///< keys below MODEL, such as DECODER.LAYERS
  std::map<std::string, ConfigValue> sizes;  ///< num_neurons, trial_length, max_spikes
  bool has_config = true;
  bool sizes_in_extra_state = false;
  std::optional<TorchTensor> max_spikes;  ///< in place of the number
  std::string prefix;                     ///< of every tensor's name

  TorchTensor& operator[](const std::string& name) {
    for (auto& [key, tensor] : state_dict) {
      if (key == name) return tensor;
    }
    return state_dict.emplace_back(name, TorchTensor{}).second;
  }
  void erase(const std::string& name) {
    std::erase_if(state_dict, [&](const auto& entry) { return entry.first == name; });
  }

  /// Random weights for a configuration.
  explicit TorchCheckpoint(const ndt::ModelConfig& c, const std::string& type = "Float") {
    const auto number = [](std::size_t n) { return static_cast<std::int64_t>(n); };
    sizes = {{"num_neurons", number(c.neurons)},
             {"trial_length", number(c.trial_length)},
             {"max_spikes", number(c.max_spikes)}};
    model = {{"NUM_LAYERS", number(c.layers)},
             {"NUM_HEADS", number(c.heads)},
             {"HIDDEN_SIZE", number(c.hidden_size)},
             {"EMBED_DIM", number(c.embed_dim)},
             {"DECODER.LAYERS", number(c.decoder_layers)},
             {"CONTEXT_FORWARD", c.context_forward},
             {"CONTEXT_BACKWARD", c.context_backward},
             {"FULL_CONTEXT", c.full_context},
             {"CONTEXT_WRAP_INITIAL", c.context_wrap_initial},
             {"LINEAR_EMBEDDER", c.linear_embedder},
             {"LEARNABLE_POSITION", c.learnable_position},
             {"POSITION.OFFSET", c.position_offset},
             {"PRE_NORM", c.pre_norm},
             {"SCALE_NORM", c.scale_norm},
             {"LOGRATE", c.lograte},
             {"ACTIVATION", std::string(c.activation == ndt::Activation::gelu ? "gelu" : "relu")},
             {"LOSS.TYPE", std::string("poisson")},
             {"TRIAL_LENGTH", std::int64_t{-1}},
             {"DROPOUT", 0.1}};
    std::uint64_t seed = 1;
    ndt::DynamicTransformer<>(ndt::DynamicShape{c})
        .visit_tensors([&](const ndt::Name& name, const float*, const ndt::TensorSpec& spec) {
          if (!spec.row_index.empty()) {
            TorchTensor& index = (*this)[std::string(spec.row_index)];
            index = {{c.trial_length, 1}, {}, "Long"};
            for (std::size_t t = 0; t < c.trial_length; ++t) index.values.push_back(static_cast<double>(t));
          }
          TorchTensor& tensor = (*this)[std::string(name.view())];
          tensor.type = type;
          tensor.shape.assign(spec.extents.size.begin(),
                              spec.extents.size.begin() + static_cast<std::ptrdiff_t>(spec.extents.rank));
          // Sixteenths: every format holds them.
          Random random(seed++);
          for (std::size_t i = 0; i < spec.extents.count(); ++i) {
            tensor.values.push_back((static_cast<double>(random.below(127)) - 63) / 16);
          }
        });
  }

  TorchWriter writer() const {
    TorchWriter file;
    Pickle& p = file.pickle;
    p.raw("}(").text("state_dict").ordered_dict().raw("(");
    for (const auto& [name, tensor] : state_dict) p.text(prefix + name), file.tensor(tensor);
    p.raw("u").raw("}").text("_metadata").ordered_dict().raw("sb");
    p.text("optim_state").raw("}(").text("state").raw("}(").integer(7).raw("}(").text("exp_avg");
    file.tensor({{2}, {1, 2}});
    p.raw("uu").text("param_groups").raw("](").raw("}").text("params").raw("](").integer(7).raw("eseu");
    if (has_config) write_config(p);
    p.text("best_r2").raw("}(").text("value");
    p.global("numpy.core.multiarray", "scalar").mark().global("numpy", "dtype").mark().text("f8").boolean(false);
    p.boolean(true).tuple().reduce().mark().integer(3).text("<").none().none().none().integer(-1).integer(-1);
    p.integer(0).tuple().raw("b").global("_codecs", "encode").mark().text(std::string("\0\0\0\0\0\0\xc3\xa8?", 9));
    p.text("latin1").tuple().reduce().tuple().reduce().raw("u");
    if (sizes_in_extra_state) p.text("extra_state").raw("}(");
    for (const auto& [key, value] : sizes) {
      p.text(key);
      if (key == "max_spikes" && max_spikes) {
        file.tensor(*max_spikes);
      } else {
        write_value(p, value);
      }
    }
    if (sizes_in_extra_state) p.raw("u");
    p.raw("u");
    return file;
  }
  std::string zip() const { return writer().zip(); }
  std::string legacy() const { return writer().legacy(); }

 private:
  static void write_value(Pickle& p, const ConfigValue& value) {
    if (const auto* const flag = std::get_if<bool>(&value)) p.boolean(*flag);
    if (const auto* const integer = std::get_if<std::int64_t>(&value)) p.integer(*integer);
    if (const auto* const real = std::get_if<double>(&value)) p.real(*real);
    if (const auto* const text = std::get_if<std::string>(&value)) p.text(*text);
  }
  static void begin_node(Pickle& p) { p.global("yacs.config", "CfgNode").raw(")\x81("); }
  static void end_node(Pickle& p) {
    p.raw("u").raw("}(").text("__immutable__").boolean(true).text("__deprecated_keys__");
    p.global("__builtin__", "set").raw("]\x85R").text("__renamed_keys__").raw("}").text("__new_allowed__");
    p.boolean(false).raw("ub");
  }
  void write_config(Pickle& p) const {
    p.text("config");
    begin_node(p);
    p.text("SEED").integer(100).text("MODEL");
    begin_node(p);
    std::string section;
    for (const auto& [key, value] : model) {  // sorted, so keys of a section follow one another
      const std::size_t dot = key.find('.');
      const std::string name = dot == std::string::npos ? "" : key.substr(0, dot);
      if (name != section) {
        if (!section.empty()) end_node(p);
        if (!name.empty()) p.text(name), begin_node(p);
        section = name;
      }
      p.text(dot == std::string::npos ? key : key.substr(dot + 1)), write_value(p, value);
    }
    if (!section.empty()) end_node(p);
    end_node(p);
    end_node(p);
  }
};

}  // namespace support
