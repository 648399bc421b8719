// From what the reference's runner saves to a model, and everything that can be wrong with it.
#include "../../tools/io/checkpoint.hpp"

#include <cmath>
#include <limits>

#include "../support/catch.hpp"
#include "../support/static_shapes.hpp"
#include "../support/torch_writer.hpp"
#include "says.hpp"

using support::refusal;
using support::says;
using support::TorchCheckpoint;

namespace {

tool::ModelFile read(const TorchCheckpoint& checkpoint) { return tool::parse_model(checkpoint.zip(), "m.pth"); }
std::string refused(const TorchCheckpoint& checkpoint) {
  return refusal([&] { read(checkpoint); });
}
std::string refused(auto change) {
  TorchCheckpoint checkpoint(support::base_config());
  change(checkpoint);
  return refused(checkpoint);
}
const std::string layer = "transformer_encoder.layers.1.";

}  // namespace

TEST_CASE("a checkpoint becomes a model, from both containers alike", "[tools][checkpoint]") {
  const TorchCheckpoint checkpoint(support::base_config());
  const tool::ModelFile model = read(checkpoint);
  CHECK(model.config == support::base_config());
  CHECK(model.tensors.size() == checkpoint.state_dict.size());
  for (const auto& [name, tensor] : checkpoint.state_dict) {
    INFO(name);
    const tool::Tensor& back = model.tensors.at(name);
    CHECK(back.shape == tensor.shape);
    CHECK(std::equal(back.values.begin(), back.values.end(), tensor.values.begin()));
    CHECK(back.values.size() + back.integers.size() == tensor.values.size());
  }
  const tool::ModelFile legacy = tool::parse_model(checkpoint.legacy(), "m.pth");
  CHECK(legacy.config == model.config);
  CHECK(tool::pack(legacy, "m.pth") == tool::pack(model, "m.pth"));
}

TEST_CASE("every switch of the configuration is read", "[tools][checkpoint]") {
  for (auto change : {+[](ndt::ModelConfig& c) { c.embed_dim = 0, c.neurons = 12, c.heads = 3; },
                      +[](ndt::ModelConfig& c) { c.embed_dim = 0, c.neurons = 8, c.linear_embedder = true; },
                      +[](ndt::ModelConfig& c) { c.linear_embedder = true; },
                      +[](ndt::ModelConfig& c) { c.learnable_position = false, c.position_offset = false; },
                      +[](ndt::ModelConfig& c) { c.scale_norm = true, c.pre_norm = false; },
                      +[](ndt::ModelConfig& c) { c.decoder_layers = 2, c.lograte = false; },
                      +[](ndt::ModelConfig& c) { c.activation = ndt::Activation::gelu, c.full_context = true; },
                      +[](ndt::ModelConfig& c) { c.context_forward = -1, c.context_backward = -7; },
                      +[](ndt::ModelConfig& c) { c.context_wrap_initial = true; }}) {
    CHECK(read(TorchCheckpoint(support::changed(change))).config == support::changed(change));
  }
}

TEST_CASE("half precision and several GPUs make no difference", "[tools][checkpoint]") {
  const std::vector<float> expected = tool::pack(read(TorchCheckpoint(support::base_config())), "m");
  for (const char* const type : {"Half", "BFloat16", "Double"}) {
    CHECK(tool::pack(read(TorchCheckpoint(support::base_config(), type)), "m") == expected);
  }
  TorchCheckpoint parallel(support::base_config());
  parallel.prefix = "module.";
  CHECK(tool::pack(read(parallel), "m") == expected);
}

TEST_CASE("keys that a checkpoint lacks have the reference's defaults", "[tools][checkpoint]") {
  ndt::ModelConfig defaults;
  defaults.neurons = 3, defaults.trial_length = 4, defaults.max_spikes = 5;
  TorchCheckpoint checkpoint(defaults);
  checkpoint.model = {{"NAME", std::string("NeuralDataTransformer")}};
  CHECK(read(checkpoint).config == defaults);
}

TEST_CASE("sizes may stand in extra_state, and be floating or a tensor", "[tools][checkpoint]") {
  TorchCheckpoint checkpoint(support::base_config());
  checkpoint.sizes_in_extra_state = true;
  checkpoint.sizes["max_spikes"] = 4.0;
  CHECK(read(checkpoint).config == support::base_config());
  checkpoint.sizes["max_spikes"] = 4.5;
  CHECK(says(refused(checkpoint), "max_spikes is 4.5", "an integer is expected"));
  checkpoint.max_spikes = support::TorchTensor{{}, {4}, "Long"};
  CHECK(read(checkpoint).config == support::base_config());
  checkpoint.max_spikes = support::TorchTensor{{1}, {4}};
  CHECK(read(checkpoint).config == support::base_config());
  checkpoint.max_spikes = support::TorchTensor{{2}, {4, 4}};
  CHECK(says(refused(checkpoint), "max_spikes is neither a number nor text"));
}

TEST_CASE("a file that is not a whole checkpoint is refused and what it lacks is named", "[tools][checkpoint]") {
  CHECK(says(refused([](auto& c) { c.has_config = false; }), "no config", "m.pth", "state_dict"));
  CHECK(says(refused([](auto& c) { c.sizes.erase("max_spikes"); }), "no max_spikes"));
  CHECK(says(refused([](auto& c) { c.sizes.clear(); }), "num_neurons, trial_length, max_spikes"));
  support::TorchWriter bare;
  bare.pickle.ordered_dict().raw("(").text("decoder.0.bias");
  bare.tensor({{1}, {1}});
  bare.pickle.raw("u");
  CHECK(says(refusal([&] { tool::parse_model(bare.zip(), "m.pth"); }),
             "no state_dict, config, num_neurons, trial_length, max_spikes", "is expected"));
  support::TorchWriter number;
  number.pickle.integer(1);
  CHECK(says(refusal([&] { tool::parse_model(number.legacy(), "m.pth"); }), "no state_dict"));
}

TEST_CASE("a configuration that cannot be is refused", "[tools][checkpoint]") {
  const auto model = [](const char* key, support::ConfigValue value) {
    return refused([&](auto& c) { c.model[key] = value; });
  };
  CHECK(says(model("LOSS.TYPE", std::string("cel")), "LOSS.TYPE is cel", "poisson is expected", "no working forward"));
  CHECK(says(model("NAME", std::string("Oracle")), "MODEL.NAME is Oracle", "NeuralDataTransformer is expected"));
  CHECK(says(model("NAME", std::int64_t{1}), "MODEL.NAME is 1"));
  CHECK(says(model("ACTIVATION", std::string("swish")), "ACTIVATION is swish", "relu or gelu"));
  CHECK(says(model("ACTIVATION", std::int64_t{1}), "ACTIVATION is 1"));
  CHECK(says(model("NUM_HEADS", std::int64_t{3}), "heads 3", "divisor of the width 14"));
  CHECK(says(model("NUM_HEADS", std::int64_t{0}), "size is zero", "heads"));
  CHECK(says(model("NUM_HEADS", std::int64_t{-2}), "NUM_HEADS is -2", "from 0"));
  CHECK(says(model("NUM_HEADS", 2.5), "NUM_HEADS is 2.5", "integer"));
  CHECK(says(model("NUM_HEADS", std::string("two")), "NUM_HEADS is two"));
  CHECK(says(model("NUM_LAYERS", std::int64_t{1} << 40), "NUM_LAYERS is 1099511627776"));
  CHECK(says(model("NUM_LAYERS", std::int64_t{1} << 30), "too large", "layers"));
  CHECK(says(model("EMBED_DIM", std::int64_t{1} << 30), "too large", "width"));
  CHECK(says(model("PRE_NORM", std::string("yes")), "PRE_NORM is yes", "True or False"));
  CHECK(says(model("CONTEXT_FORWARD", true), "CONTEXT_FORWARD is True"));
  CHECK(says(model("TRIAL_LENGTH", std::int64_t{12}), "TRIAL_LENGTH is 12", "trial_length is 11"));
  CHECK(model("TRIAL_LENGTH", std::int64_t{11}).empty());
  ndt::ModelConfig odd = support::changed([](auto& c) { c.embed_dim = 1, c.heads = 1; });
  TorchCheckpoint sinusoidal(odd);
  sinusoidal.model["LEARNABLE_POSITION"] = false;
  CHECK(says(refused(sinusoidal), "even width", "width 7"));
}

TEST_CASE("the share of losses that count is read", "[tools][checkpoint]") {
  TorchCheckpoint checkpoint(support::base_config());
  for (const auto& [given, kept] :
       {std::pair<support::ConfigValue, double>{0.25, 0.25}, {1.0, 1}, {1.5, 1}, {std::int64_t{0}, 0}}) {
    checkpoint.model["LOSS.TOPK"] = given;
    CHECK(read(checkpoint).loss_topk == kept);
  }
  checkpoint.model.erase("LOSS.TOPK");
  CHECK(read(checkpoint).loss_topk == 1);
  for (const auto& [wrong, part] : {std::pair<support::ConfigValue, const char*>{-0.5, "is -0.5"},
                                    {std::nan(""), "is nan"},
                                    {std::string("half"), "is half"},
                                    {true, "is True"}}) {
    checkpoint.model["LOSS.TOPK"] = wrong;
    CHECK(says(refused(checkpoint), "MODEL.LOSS.TOPK", part, "expected"));
  }
}

TEST_CASE("where configuration and tensors contradict one another both are named", "[tools][checkpoint]") {
  const auto model = [](const char* key, support::ConfigValue value) {
    return refused([&](auto& c) { c.model[key] = value; });
  };
  const auto size = [](const char* key, std::int64_t value) { return refused([&](auto& c) { c.sizes[key] = value; }); };
  CHECK(says(size("num_neurons", 8), "num_neurons is 8", "decoder.0.weight has shape (7, 14)", "contradict",
             "decoder.0.weight has shape (8, 16) in a model of this configuration"));
  CHECK(says(size("trial_length", 12), "trial_length is 12", "pos_embedding.weight has shape (11, 14)", "(12, 14)"));
  CHECK(says(size("max_spikes", 5), "max_spikes is 5", "7 rows", "embedder.0.weight has 6", "(7, 2)"));
  CHECK(says(model("NUM_LAYERS", std::int64_t{3}), "NUM_LAYERS is 3", "of 2 layers"));
  CHECK(says(model("NUM_LAYERS", std::int64_t{1}), "NUM_LAYERS is 1", "of 2 layers"));
  CHECK(says(model("HIDDEN_SIZE", std::int64_t{11}), "HIDDEN_SIZE is 11", "linear1.weight", "(10, 14)"));
  CHECK(says(model("EMBED_DIM", std::int64_t{4}), "EMBED_DIM is 4", "embedder.0.weight", "(6, 2)"));
  CHECK(says(refused([](auto& c) { c.model["EMBED_DIM"] = std::int64_t{0}, c.model["NUM_HEADS"] = std::int64_t{1}; }),
             "EMBED_DIM is 0", "embedder.0.weight is there, of shape (6, 2)", "embedder.0.weight is not part of"));
  CHECK(says(model("LINEAR_EMBEDDER", true), "LINEAR_EMBEDDER is True", "embedder.weight is not there"));
  CHECK(says(model("DECODER.LAYERS", std::int64_t{2}), "DECODER.LAYERS is more than 1", "decoder.2.weight is not there",
             "decoder.2.weight has shape (7, 16)"));
  CHECK(says(model("LEARNABLE_POSITION", false), "LEARNABLE_POSITION is False", "pos_embedding.weight is there"));
  CHECK(says(model("SCALE_NORM", true), "SCALE_NORM is True", "norm.scale is not there"));
  TorchCheckpoint counts(support::changed([](auto& c) { c.embed_dim = 0, c.neurons = 14, c.heads = 1; }));
  counts.sizes["num_neurons"] = std::int64_t{7};
  CHECK(says(refused(counts), "num_neurons is 7", "(14, 14)"));
}

TEST_CASE("tensors that are missing, left over or of another shape are named", "[tools][checkpoint]") {
  CHECK(says(refused([](auto& c) { c.erase(layer + "norm2.bias"); }),
             "tensor " + layer + "norm2.bias of shape (14,) is missing"));
  CHECK(says(refused([](auto& c) {
               c["surplus.weight"] = {{2}, {1, 2}};
             }),
             "tensor surplus.weight of shape (2,) is not the model's"));
  CHECK(says(refused([](auto& c) {
               c[layer + "linear2.weight"].shape = {10, 14};
             }),
             layer + "linear2.weight of shape (10, 14) should have shape (14, 10)"));
  CHECK(says(refused([](auto& c) { c[layer + "norm1.bias"].type = "Int"; }), "integers", layer + "norm1.bias"));
  CHECK(says(refused([](auto& c) { c["pos_encoder.pe"] = {{2, 1}, {0, 1}, "Long"}; }), "trial_length is 11", "(2, 1)"));
  CHECK(says(refused([](auto& c) { c["pos_encoder.pe"].type = "Float"; }),
             "pos_encoder.pe of shape (11, 1) holds no integers and", "(11, 1)"));
  CHECK(says(refused([](auto& c) { c["pos_encoder.pe"].values[3] = 11; }), "stored position is 11", "0 to 10"));
  CHECK(says(refused([](auto& c) { c["pos_encoder.pe"].values[3] = -1; }), "stored position is -1"));
  CHECK(refused([](auto& c) { c.erase("pos_encoder.pe"); }).empty());
  CHECK(says(refused([](auto& c) { c.state_dict.push_back(c.state_dict.back()); }), "tensor twice"));
}

TEST_CASE("all tensors that are wrong are named, up to eight", "[tools][checkpoint]") {
  const std::string several = refused([](auto& c) {
    c.erase(layer + "norm2.bias");
    c["surplus.weight"] = {{2}, {1, 2}};
    c["decoder.0.bias"].shape = {7, 1};
  });
  CHECK(says(several, layer + "norm2.bias of shape (14,) is missing; ",
             "surplus.weight of shape (2,) is not the model's",
             "decoder.0.bias of shape (7, 1) should have shape (7,)"));
  CHECK_FALSE(says(several, "more"));
  const std::string many = refused([](auto& c) {
    std::erase_if(c.state_dict, [](const auto& entry) { return entry.first.rfind(layer + "self", 0) == 0; });
    for (int i = 0; i < 6; ++i) c["surplus" + std::to_string(i)] = {{1}, {1}};
  });
  CHECK(says(many, "surplus3 of shape (1,)", "; and 2 more, m.pth, "));
  CHECK_FALSE(says(many, "surplus4"));
}

TEST_CASE("weights that are no numbers are refused with their place", "[tools][checkpoint]") {
  const std::string name = layer + "linear1.weight";
  CHECK(says(refused([&](auto& c) { c[name].values[77] = std::nan(""); }), "NaN", name, "element 77"));
  CHECK(says(refused([&](auto& c) { c[name].values[5] = std::numeric_limits<double>::infinity(); }), "infinite", name,
             "element 5"));
  // Finite in double, not in float.
  CHECK(says(refused([&](auto& c) { c[name].type = "Double", c[name].values[5] = 1e300; }), "infinite", "element 5"));
}

TEST_CASE("a damaged checkpoint is refused or still a whole one", "[tools][checkpoint]") {
  TorchCheckpoint checkpoint(support::changed(
      [](auto& c) { c.layers = 1, c.neurons = 1, c.hidden_size = 1, c.trial_length = 1, c.max_spikes = 1; }));
  const std::string legacy = checkpoint.legacy();
  std::size_t whole = 0;
  for (std::size_t byte = 0; byte < legacy.size(); ++byte) {
    whole += refusal([&] { tool::parse_model(legacy.substr(0, byte), "m.pth"); }).empty();
  }
  CHECK(whole == 0);
  for (std::size_t byte = 0; byte < legacy.size(); ++byte) {
    std::string flipped = legacy;
    flipped[byte] = static_cast<char>(flipped[byte] ^ 1 << byte % 8);
    whole += refusal([&] { tool::parse_model(flipped, "m.pth"); }).empty();
  }
  CHECK(whole < legacy.size());
  const std::string zip = checkpoint.zip();
  std::size_t through = 0;
  for (std::size_t byte = 0; byte < zip.size(); ++byte) {
    std::string flipped = zip;
    flipped[byte] = static_cast<char>(flipped[byte] ^ 1 << byte % 8);
    through += refusal([&] { tool::parse_model(flipped, "m.pth"); }).empty();
    through += refusal([&] { tool::parse_model(zip.substr(0, byte), "m.pth"); }).empty();
  }
  CHECK(through == 0);
}
