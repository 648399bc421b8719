// Our model file.
#include "../../tools/io/safetensors.hpp"

#include <nlohmann/json.hpp>

#include "../../tools/io/content_hash.hpp"

#include "../support/catch.hpp"
#include "../support/static_shapes.hpp"
#include "../support/torch_writer.hpp"
#include "says.hpp"

using nlohmann::json;
using support::refusal;
using support::says;

namespace {

tool::ModelFile small_model() {
  tool::ModelFile model;
  model.config = support::changed([](auto& c) { c.layers = 1, c.hidden_size = 3, c.neurons = 2, c.trial_length = 3; });
  model.bin_width = 0.1, model.name = "small";
  const std::string bytes = support::TorchCheckpoint(model.config).zip();
  model.tensors = tool::parse_model(bytes, "small").tensors;
  return model;
}

std::string refused(const std::string& bytes) {
  return refusal([&] { tool::parse_model(bytes, "m.safetensors"); });
}

/// A file taken apart, to be changed and put together again with the right length and, on request, the right hash.
struct Parts {
  json header;
  std::string data;
  explicit Parts(const std::string& bytes) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    header = json::parse(bytes.substr(8, length));
    data = bytes.substr(8 + length);
  }
  std::string whole() const { return with_text(header.dump()); }
  std::string with_text(const std::string& text) const {
    return support::number_bytes(static_cast<std::uint64_t>(text.size())) + text + data;
  }
  Parts& rehash() {
    // As content_hash.hpp describes it.
    tool::ContentHash hash;
    json metadata = header["__metadata__"];
    metadata.erase("content_hash");
    hash.number(metadata.size());
    for (const auto& [key, value] : metadata.items()) hash.bytes(key), hash.bytes(value.get<std::string>());
    hash.number(header.size() - 1);
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      hash.bytes(name), hash.bytes(entry["dtype"].get<std::string>()), hash.number(entry["shape"].size());
      for (const auto& size : entry["shape"]) hash.number(size.get<std::uint64_t>());
      const std::size_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
      hash.bytes(std::string_view(data).substr(begin, end - begin));
    }
    header["__metadata__"]["content_hash"] = hash.digits();
    return *this;
  }
};

}  // namespace

TEST_CASE("SHA-256 is that of the standard", "[tools][safetensors]") {
  // Eight bytes of length, here zero, and nothing else.
  tool::ContentHash hash;
  hash.bytes("");
  CHECK(hash.digits() == "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc");
}

TEST_CASE("a model comes back as it was written", "[tools][safetensors]") {
  const tool::ModelFile model = small_model();
  const std::string bytes = tool::safetensors_bytes(model);
  const tool::ModelFile back = tool::parse_model(bytes, "m");
  CHECK(back.config == model.config);
  CHECK(back.bin_width == model.bin_width);
  CHECK(back.name == model.name);
  REQUIRE(back.tensors.size() == model.tensors.size());
  for (const auto& [name, tensor] : model.tensors) {
    INFO(name);
    CHECK(back.tensors.at(name).shape == tensor.shape);
    CHECK(back.tensors.at(name).values == tensor.values);
    CHECK(back.tensors.at(name).integers == tensor.integers);
  }
  CHECK(tool::safetensors_bytes(back) == bytes);
}

TEST_CASE("the share of losses that count is kept, and takes no place where it is all", "[tools][safetensors]") {
  tool::ModelFile model = small_model();
  CHECK(tool::safetensors_bytes(model).find("loss_topk") == std::string::npos);
  model.loss_topk = 0.1;
  const std::string bytes = tool::safetensors_bytes(model);
  CHECK(tool::parse_model(bytes, "m").loss_topk == 0.1);
  Parts parts(bytes);
  for (const char* const wrong : {"1", "-0.1", "nan", "", "0.5 "}) {
    parts.header["__metadata__"]["loss_topk"] = wrong;
    CHECK(says(refused(parts.rehash().whole()), "loss_topk is ", "a share"));
  }
}

TEST_CASE("a model keeps how it was trained", "[tools][safetensors]") {
  tool::ModelFile model = small_model();
  CHECK(tool::safetensors_bytes(model).find("training") == std::string::npos);
  CHECK_FALSE(tool::parse_model(tool::safetensors_bytes(model), "m").training.has_value());
  model.training.emplace();
  model.training->mask.ratio = 0.3, model.training->seed = 5;
  const std::string bytes = tool::safetensors_bytes(model);
  CHECK(tool::parse_model(bytes, "m").training == model.training);
  Parts parts(bytes);
  parts.header["__metadata__"]["training"] = "{\"SEED\":-1}";
  CHECK(says(refused(parts.rehash().whole()), "SEED is -1", "training"));
}

TEST_CASE("every switch of the configuration survives", "[tools][safetensors]") {
  for (auto change : {+[](ndt::ModelConfig& c) { c.embed_dim = 0, c.neurons = 12, c.heads = 3; },
                      +[](ndt::ModelConfig& c) { c.embed_dim = 0, c.neurons = 8, c.linear_embedder = true; },
                      +[](ndt::ModelConfig& c) { c.learnable_position = false, c.position_offset = false; },
                      +[](ndt::ModelConfig& c) { c.scale_norm = true, c.pre_norm = false; },
                      +[](ndt::ModelConfig& c) { c.decoder_layers = 3, c.lograte = false; },
                      +[](ndt::ModelConfig& c) { c.activation = ndt::Activation::gelu, c.full_context = true; },
                      +[](ndt::ModelConfig& c) { c.context_forward = -1, c.context_backward = -7; },
                      +[](ndt::ModelConfig& c) { c.context_wrap_initial = true, c.norm_epsilon = 1e-6; }}) {
    tool::ModelFile model;
    model.config = support::changed(change);
    const std::string checkpoint = support::TorchCheckpoint(model.config).zip();
    model.tensors = tool::parse_model(checkpoint, "m").tensors;
    const tool::ModelFile back = tool::parse_model(tool::safetensors_bytes(model), "m");
    CHECK(back.config == model.config);
    CHECK_FALSE(back.bin_width.has_value());
    CHECK(tool::pack(back, "m") == tool::pack(model, "m"));
  }
}

TEST_CASE("tensors lie one behind the other, each at a multiple of its size", "[tools][safetensors]") {
  const std::string bytes = tool::safetensors_bytes(small_model());
  const Parts parts(bytes);
  CHECK((bytes.size() - parts.data.size()) % 8 == 0);
  for (const auto& [name, entry] : parts.header.items()) {
    if (name != "__metadata__")
      CHECK(entry["data_offsets"][0].get<std::size_t>() % (entry["dtype"] == "I64" ? 8 : 4) == 0);
  }
}

TEST_CASE("no truncation and no flip of a bit of a model file gets through", "[tools][safetensors]") {
  const std::string bytes = tool::safetensors_bytes(small_model());
  std::size_t through = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) through += refused(bytes.substr(0, size)).empty();
  CHECK(through == 0);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    if (!refused(flipped).empty()) continue;
    ++through;
    UNSCOPED_INFO("byte " << bit / 8 << " of " << bytes.size());
  }
  CHECK(through == 0);
  CHECK_FALSE(refused(bytes + '\0').empty());
}

TEST_CASE("other number formats are read", "[tools][safetensors]") {
  const tool::ModelFile model = small_model();
  const auto [type, element] =
      GENERATE(std::pair("F16", "Half"), std::pair("BF16", "BFloat16"), std::pair("F64", "Double"));
  Parts parts(tool::safetensors_bytes(model));
  std::string data;
  for (auto& [name, entry] : parts.header.items()) {
    if (name == "__metadata__") continue;
    const std::size_t begin = data.size();
    for (const float value : model.tensors.at(name).values)
      data += support::element_bytes(static_cast<double>(value), element);
    for (const std::int64_t value : model.tensors.at(name).integers) data += support::number_bytes(value);
    if (entry["dtype"] == "F32") entry["dtype"] = type;
    entry["data_offsets"] = {begin, data.size()};
  }
  parts.data = data;
  CHECK(tool::pack(tool::parse_model(parts.rehash().whole(), "m"), "m") == tool::pack(model, "m"));
}

TEST_CASE("a header that lies is refused with the place", "[tools][safetensors]") {
  const std::string bytes = tool::safetensors_bytes(small_model());
  const Parts good(bytes);
  REQUIRE(refused(Parts(good).rehash().whole()).empty());
  const std::string name = "decoder.0.bias";
  const auto with = [&](auto change) {
    Parts parts = good;
    change(parts.header);
    return refused(parts.rehash().whole());
  };
  const auto without_rehash = [&](auto change) {
    Parts parts = good;
    change(parts.header);
    return refused(parts.whole());
  };

  for (const std::uint64_t length : {std::uint64_t{1} << 63, ~std::uint64_t{0}, std::uint64_t{bytes.size()}}) {
    std::string oversized = bytes;
    oversized.replace(0, 8, support::number_bytes(length));
    CHECK(says(refused(oversized), "header claims", "byte 0", "at most"));
  }
  CHECK(says(refused(good.with_text("{not json")), "not JSON", "byte 10"));
  CHECK(says(refused(good.with_text("{\"a\":1e999}")), "too large"));
  CHECK(says(refused(good.with_text(std::string(2000, '{').replace(1, 0, "\"a\":"))), "JSON"));
  std::string deep = "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  CHECK(says(refused(good.with_text(deep)), "too deep"));
  CHECK(says(refused(good.with_text(R"({"a":1,"a":2})")), "key a twice"));
  CHECK(says(refused(good.with_text(R"({"a":1})")), "tensor a", "no shape"));
  CHECK(says(refused(good.with_text(R"({"__metadata__":[]})")), "__metadata__ is no object"));
  CHECK(says(refused(good.with_text(R"({"__metadata__":{"x":1}})")), "metadata x is no text"));

  CHECK(says(without_rehash([&](json& h) { h[name]["data_offsets"] = {0, 1 << 30}; }), name, "outside the file"));
  CHECK(says(without_rehash([&](json& h) { h[name]["data_offsets"] = {8, 4}; }), name, "outside the file"));
  CHECK(says(without_rehash([&](json& h) { h[name]["data_offsets"] = {0}; }), name, "outside the file"));
  CHECK(says(without_rehash([&](json& h) { h[name]["data_offsets"] = {-4, 4}; }), name, "not all sizes"));
  CHECK(says(without_rehash([&](json& h) { h[name]["shape"] = {1.5}; }), name, "not all sizes"));
  CHECK(says(without_rehash([&](json& h) { h[name]["shape"] = {3}; }), name, "span 8 bytes", "12 are expected"));
  CHECK(says(without_rehash([&](json& h) { h[name]["shape"] = {~0ull, ~0ull}; }), name, "shape is impossible"));
  CHECK(says(without_rehash([&](json& h) { h[name].erase("shape"); }), name, "no shape"));
  CHECK(says(without_rehash([&](json& h) { h[name]["dtype"] = "U8"; }), name, "type U8"));
  CHECK(says(without_rehash([&](json& h) { h[name].erase("dtype"); }), name, "type"));
  CHECK(says(without_rehash([&](json& h) { h[name]["note"] = 1; }), name, "unknown properties"));
  CHECK(says(without_rehash([&](json& h) { h.erase(name); }), "gap"));
  CHECK(says(without_rehash([&](json& h) { h["extra"] = h[name]; }), "overlap"));

  CHECK(says(with([](json& h) { h["__metadata__"]["format_version"] = "2"; }), "format version 2", "newer program"));
  CHECK(says(with([](json& h) { h["__metadata__"]["format"] = "pt"; }), "format is pt", "ndt convert"));
  CHECK(says(with([](json& h) { h["__metadata__"].erase("format"); }), "has no format"));
  CHECK(says(with([](json& h) { h["__metadata__"].erase("config"); }), "has no config"));
  CHECK(says(without_rehash([](json& h) { h["__metadata__"].erase("content_hash"); }), "has no content_hash"));
  CHECK(says(without_rehash([](json& h) { h["__metadata__"]["bin_width"] = "0.2"; }), "does not match its hash"));
  for (const char* const width : {"1e-300", "0", "-1", "nan", "inf", "1s", ""}) {
    CHECK(says(with([&](json& h) { h["__metadata__"]["bin_width"] = width; }), "bin_width is", "3600 seconds"));
  }
  CHECK(says(with([](json& h) { h["__metadata__"]["config"] = "{}"; }), "neurons", "config"));
  CHECK(says(with([](json& h) { h["__metadata__"]["config"] = "[]"; }), "no JSON object"));
  const auto config = [&](auto change) {
    return with([&](json& h) {
      json parsed = json::parse(h["__metadata__"]["config"].get<std::string>());
      change(parsed);
      h["__metadata__"]["config"] = parsed.dump();
    });
  };
  CHECK(says(config([](json& c) { c["MODEL"].erase("PRE_NORM"); }), "missing, unknown"));
  CHECK(says(config([](json& c) { c["MODEL"]["DEPTH"] = 1; }), "missing, unknown"));
  CHECK(says(config([](json& c) { c["MODEL"]["NUM_HEADS"] = 3; }), "heads 3", "width 4"));
  CHECK(says(config([](json& c) { c["MODEL"]["NUM_HEADS"] = json::array(); }), "NUM_HEADS is neither"));
  CHECK(says(config([](json& c) { c["num_neurons"] = ~0ull; }), "num_neurons is neither"));
}

TEST_CASE("a header that lists a great many tensors is read in little more than its length takes",
          "[tools][safetensors]") {
  json header{{"__metadata__", {{"format", "another"}}}};
  const json nothing{{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
  for (std::size_t i = 0; i < 200000; ++i) header["t" + std::to_string(i)] = nothing;
  const std::string text = header.dump();
  const std::string bytes = support::number_bytes(static_cast<std::uint64_t>(text.size())) + text;
  // A parser that searches for each of them would not come to an end within the time that any test has.
  CHECK(says(refused(bytes), "the format is another", "m.safetensors"));
}

TEST_CASE("a file whose header would be too large to be read again is not written", "[tools][safetensors]") {
  tool::ModelFile model = small_model();
  const std::string long_name(1000, 'n');
  for (std::size_t i = 0; i < 17000; ++i) model.tensors[long_name + std::to_string(i)] = {{0}, {}, {}};
  CHECK(says(refusal([&] { tool::safetensors_bytes(model); }), "a header of 18", "tensors", "format ndt",
             "at most 16777216", "fewer layers"));
}
