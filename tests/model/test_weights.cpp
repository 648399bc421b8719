// What a checkpoint must have, and what is said when it has not.
#include <cmath>
#include <limits>
#include <set>

#include "../support/catch.hpp"
#include "../support/golden.hpp"
#include "../support/static_shapes.hpp"

namespace {

using V = ndt::simd::native<float>;
using Model = ndt::DynamicTransformer<V>;

/// A checkpoint in memory that tests can spoil.
struct Checkpoint {
  ndt::DynamicShape shape{support::base_config()};
  std::map<std::string, std::pair<ndt::Extents, std::vector<float>>, std::less<>> tensors;
  std::map<std::string, std::vector<std::int64_t>, std::less<>> integers;

  Checkpoint() {
    Model(shape).visit_tensors([this](const ndt::Name& name, const float*, const ndt::TensorSpec& spec) {
      std::vector<float> values(spec.extents.count());
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 17) - 8.0f;
      tensors[std::string(name.view())] = {spec.extents, values};
    });
  }

  ndt::Status pack(std::vector<float>& memory) const {
    return ndt::pack_weights<V>(std::span<float>(memory), shape, [this](std::string_view name) {
      ndt::StoredTensor<float> stored;
      if (const auto found = tensors.find(name); found != tensors.end()) {
        stored = {found->second.second.data(), nullptr, found->second.first};
      } else if (const auto index = integers.find(name); index != integers.end()) {
        stored = {nullptr, index->second.data(), ndt::Extents(index->second.size(), 1)};
      }
      return stored;
    });
  }
  ndt::Status pack() const {
    std::vector<float> memory(Model(shape).packed_size());
    return pack(memory);
  }
};

}  // namespace

TEST_CASE("tensors have PyTorch's names and shapes", "[model][weights]") {
  const Checkpoint checkpoint;
  const auto shape = [&](const char* name) { return checkpoint.tensors.at(name).first; };
  CHECK(checkpoint.tensors.size() == 2 + 2 * 12 + 2 + 2);
  CHECK(shape("embedder.0.weight") == ndt::Extents(6, 2));
  CHECK(shape("pos_encoder.pos_embedding.weight") == ndt::Extents(11, 14));
  CHECK(shape("transformer_encoder.layers.1.self_attn.in_proj_weight") == ndt::Extents(42, 14));
  CHECK(shape("transformer_encoder.layers.1.self_attn.in_proj_bias") == ndt::Extents(42));
  CHECK(shape("transformer_encoder.layers.0.self_attn.out_proj.weight") == ndt::Extents(14, 14));
  CHECK(shape("transformer_encoder.layers.0.linear1.weight") == ndt::Extents(10, 14));
  CHECK(shape("transformer_encoder.layers.0.linear2.weight") == ndt::Extents(14, 10));
  CHECK(shape("transformer_encoder.layers.0.norm1.weight") == ndt::Extents(14));
  CHECK(shape("transformer_encoder.layers.0.norm2.bias") == ndt::Extents(14));
  CHECK(shape("transformer_encoder.norm.weight") == ndt::Extents(14));
  CHECK(shape("decoder.0.bias") == ndt::Extents(7));
}

TEST_CASE("every other tensor name is there with the switch that needs it", "[model][weights]") {
  std::set<std::string> names;
  for (auto change :
       {+[](ndt::ModelConfig& c) { c.linear_embedder = true; },
        +[](ndt::ModelConfig& c) { c.learnable_position = false; }, +[](ndt::ModelConfig& c) { c.scale_norm = true; },
        +[](ndt::ModelConfig& c) { c.decoder_layers = 2; }}) {
    Model(ndt::DynamicShape{support::changed(change)})
        .visit_tensors([&](const ndt::Name& name, const float*, const ndt::TensorSpec&) {
          names.insert(std::string(name.view()));
        });
  }
  for (const char* name : {"embedder.weight", "embedder.bias", "pos_encoder.pe", "transformer_encoder.norm.scale",
                           "decoder.2.weight", "decoder.2.bias"}) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
}

TEST_CASE("packed weights hold what the checkpoint held", "[model][weights]") {
  const Checkpoint checkpoint;
  std::vector<float> memory(Model(checkpoint.shape).packed_size());
  REQUIRE(checkpoint.pack(memory).ok());
  Model model;
  REQUIRE(model.bind(checkpoint.shape, memory).ok());
  std::size_t seen = 0;
  model.visit_tensors([&](const ndt::Name& name, const float* data, const ndt::TensorSpec& spec) {
    const auto& [extents, stored] = checkpoint.tensors.at(std::string(name.view()));
    std::vector<float> back(stored.size());
    if (spec.layout == ndt::Layout::panels) {
      ndt::kernels::unpack_transposed(ndt::Rows<float>{back.data(), extents.size[1]}, data, extents.size[0],
                                      extents.size[1]);
    } else {
      back.assign(data, data + stored.size());
    }
    INFO(name.view());
    CHECK(back == stored);
    CHECK((data - memory.data()) % 16 == 0);
    ++seen;
  });
  CHECK(seen == checkpoint.tensors.size());
}

TEST_CASE("a spoilt checkpoint is refused and the tensor named", "[model][weights]") {
  Checkpoint checkpoint;
  REQUIRE(checkpoint.pack().ok());
  const std::string name = "transformer_encoder.layers.1.linear2.weight";

  SECTION("missing") {
    checkpoint.tensors.erase(name);
    const ndt::Status status = checkpoint.pack();
    CHECK(status.error == ndt::Error::tensor_missing);
    CHECK(status.where.view() == name);
    CHECK(status.expected == ndt::Extents(14, 10));
  }
  SECTION("of another shape") {
    checkpoint.tensors[name].first = ndt::Extents(10, 14);
    const ndt::Status status = checkpoint.pack();
    CHECK(status.error == ndt::Error::tensor_shape);
    CHECK(status.where.view() == name);
    CHECK(status.expected == ndt::Extents(14, 10));
    CHECK(status.found == ndt::Extents(10, 14));
  }
  SECTION("not a number, or infinite") {
    const float bad =
        GENERATE(std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity());
    checkpoint.tensors[name].second[77] = bad;
    const ndt::Status status = checkpoint.pack();
    CHECK(status.error == ndt::Error::tensor_not_finite);
    CHECK(status.where.view() == name);
    CHECK(status.found == ndt::Extents(77));
  }
  SECTION("integers where numbers belong") {
    checkpoint.tensors.erase(name);
    checkpoint.integers[name].assign(140, 0);
    CHECK(checkpoint.pack().error == ndt::Error::tensor_shape);
  }
  SECTION("a stored position outside the table") {
    const std::int64_t bad = GENERATE(std::int64_t{-1}, std::int64_t{11}, std::numeric_limits<std::int64_t>::min());
    checkpoint.integers["pos_encoder.pe"] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, bad};
    const ndt::Status status = checkpoint.pack();
    CHECK(status.error == ndt::Error::position_index_out_of_range);
    CHECK(status.where.view() == "pos_encoder.pe");
  }
  SECTION("too few stored positions") {
    checkpoint.integers["pos_encoder.pe"] = {0, 1, 2};
    CHECK(checkpoint.pack().error == ndt::Error::tensor_shape);
  }
}

TEST_CASE("memory that is too small and shapes that cannot be are refused", "[model][weights]") {
  const Checkpoint checkpoint;
  const std::size_t needed = Model(checkpoint.shape).packed_size();
  std::vector<float> memory(needed - 1);
  const ndt::Status packing = checkpoint.pack(memory);
  CHECK(packing.error == ndt::Error::memory_too_small);
  CHECK(packing.expected == ndt::Extents(needed));
  Model model;
  CHECK(model.bind(checkpoint.shape, memory).error == ndt::Error::memory_too_small);
  memory.resize(needed);
  ndt::DynamicShape wrong = checkpoint.shape;
  wrong.config.heads = 3;
  const ndt::Status binding = model.bind(wrong, memory);
  CHECK(binding.error == ndt::Error::heads_do_not_divide_width);
  CHECK(binding.where.view() == "heads");
  CHECK(model.bind(checkpoint.shape, memory).ok());
}
