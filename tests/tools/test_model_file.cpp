// Reading whatever the content says it is, and writing completely or not at all.
#include "../../tools/io/model_file.hpp"

#include <sys/resource.h>

#include <csignal>

#include <ndt/train/network.hpp>

#include "../support/catch.hpp"
#include "../support/recorded.hpp"
#include "../support/static_shapes.hpp"
#include "../support/torch_writer.hpp"
#include "says.hpp"

using support::refusal;
using support::says;

namespace {

tool::ModelFile base_model() {
  return tool::parse_model(support::TorchCheckpoint(support::base_config()).zip(), "m.pth");
}
std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(NDT_SOURCE_DIR) / "tests" / "fixtures" / name;
}

/// Files cannot grow beyond this many bytes, as on a full disk.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("a file is what its content says, whatever its name", "[tools][model_file]") {
  const support::TemporaryFolder folder;
  const support::TorchCheckpoint checkpoint(support::base_config());
  support::write(folder / "a.safetensors", checkpoint.zip());
  support::write(folder / "b.h5", checkpoint.legacy());
  const tool::ModelFile model = tool::read_model(folder / "a.safetensors");
  tool::write_safetensors(model, folder / "c.pth");
  const std::vector<float> packed = tool::pack(model, "a");
  CHECK(tool::pack(tool::read_model(folder / "b.h5"), "b") == packed);
  CHECK(tool::pack(tool::read_model(folder / "c.pth"), "c") == packed);
  CHECK(tool::read_model(folder / "c.pth").config == model.config);
}

TEST_CASE("what is no model is refused", "[tools][model_file]") {
  const support::TemporaryFolder folder;
  CHECK(says(refusal([&] { tool::read_model(folder / "none.pth"); }), "none.pth"));
  CHECK(says(refusal([&] { tool::read_model(folder.path()); }), "folder"));
  CHECK(says(refusal([] { tool::parse_model("", "m"); }), "empty"));
  CHECK(says(refusal([] { tool::parse_model("\x89HDF\r\n\x1a\n and so on", "m"); }), "no model file", "PyTorch"));
  CHECK(says(refusal([] { tool::parse_model("\x80\x02}.", "m"); }), "no model file"));
}

TEST_CASE("files of PyTorch itself are read, in every container alike", "[tools][model_file]") {
  // Their script fills element i of tensor j, in the order of the names, with ((7 j + 3 i) % 31 - 15) / 16.
  for (const char* const name : {"tiny.pth", "tiny.legacy.pth", "tiny.legacy5.pth", "tiny.deflated.pth",
                                 "tiny.half.pth", "tiny.protocol4.pth"}) {
    INFO(name);
    const tool::ModelFile model = tool::read_model(fixture(name));
    CHECK(model.config.neurons == 3);
    CHECK(model.config.trial_length == 5);
    CHECK(model.config.max_spikes == 4);
    CHECK(model.config.layers == 1);
    CHECK(model.config.hidden_size == 4);
    CHECK(model.config.context_forward == 1);
    CHECK(model.config.pre_norm);
    CHECK(model.config.learnable_position);
    CHECK(model.tensors.size() == 19);
    std::size_t j = 0;
    bool same = true;
    for (const auto& [tensor_name, tensor] : model.tensors) {
      for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        same = same && tensor.values[i] == (static_cast<float>((7 * j + 3 * i) % 31) - 15) / 16;
      }
      ++j;
    }
    CHECK(same);
    CHECK(model.tensors.at("pos_encoder.pe").integers == std::vector<std::int64_t>{0, 1, 2, 3, 4});
  }
}

TEST_CASE("no flip of a bit in a file of PyTorch gets through", "[tools][model_file]") {
  const std::string good = support::contents(fixture("tiny.pth"));
  REQUIRE(!good.empty());
  std::size_t through = 0;
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    std::string flipped = good;
    flipped[byte] = static_cast<char>(flipped[byte] ^ 1 << byte % 8);
    if (!refusal([&] { tool::parse_model(flipped, "m"); }).empty()) continue;
    ++through;
    UNSCOPED_INFO("byte " << byte);
  }
  CHECK(through == 0);
}

TEST_CASE("where nothing can be written nothing is left", "[tools][model_file]") {
  const support::TemporaryFolder folder;
  tool::ModelFile model = base_model();
  model.name = "m";
  CHECK(says(refusal([&] { tool::write_safetensors(model, folder / "none" / "m.safetensors"); }), "cannot write"));
  CHECK(says(refusal([&] { tool::write_safetensors(model, "/dev/full"); }), "/dev/full", "not a regular file"));
  std::filesystem::create_symlink("/dev/full", folder / "full");
  CHECK_FALSE(refusal([&] { tool::write_header(model, folder / "full"); }).empty());
  CHECK(folder.entries() == 1);
  support::write(folder / "old", "as it was");
  {
    const SmallDisk disk(1000);
    CHECK(says(refusal([&] { tool::write_safetensors(model, folder / "old"); }), "cannot write", "old"));
    CHECK(says(refusal([&] { tool::write_header(model, folder / "new.hpp"); }), "cannot write"));
  }
  CHECK(support::contents(folder / "old") == "as it was");
  CHECK(folder.entries() == 2);
}

TEST_CASE("the reference's checkpoints are read and come back from our file to the bit",
          "[tools][model_file][reference]") {
  const auto reference = support::recorded_results();
  if (!reference) return;
  const support::TemporaryFolder folder;
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*reference)) {
    if (entry.path().extension() != ".pth") continue;
    INFO(entry.path().filename());
    const tool::ModelFile model = tool::read_model(entry.path());
    tool::write_safetensors(model, folder / "m.safetensors");
    const tool::ModelFile back = tool::read_model(folder / "m.safetensors");
    CHECK(back.config == model.config);
    CHECK(tool::pack(back, "m") == tool::pack(model, "m"));
    ++count;
  }
  CHECK(count > 0);
  const std::filesystem::path lorenz = *reference / "lorenz_embed";
  const tool::ModelFile zip = tool::read_model(lorenz.string() + ".pth");
  const tool::ModelFile legacy = tool::read_model(lorenz.string() + ".legacy.pth");
  CHECK(zip.config == legacy.config);
  REQUIRE(zip.tensors.size() == legacy.tensors.size());
  for (const auto& [name, tensor] : zip.tensors) {
    INFO(name);
    CHECK(legacy.tensors.at(name).shape == tensor.shape);
    CHECK(legacy.tensors.at(name).values == tensor.values);
    CHECK(legacy.tensors.at(name).integers == tensor.integers);
  }
}

TEST_CASE("the parameters of a model of thousands of layers are found by their names", "[tools][model_file]") {
  const ndt::ModelConfig config = support::changed([](auto& c) {
    c.layers = 8000, c.neurons = 2, c.heads = 1, c.embed_dim = 0, c.hidden_size = 1, c.trial_length = 2;
  });
  const ndt::Parameters<float> parameters(ndt::train::parameters_of<float>(config));
  const ndt::train::Network network(config, parameters);
  for (std::size_t i = 0; i < parameters.list().size(); ++i) REQUIRE(parameters.find(parameters.list()[i].name) == i);
  CHECK_THROWS_AS(parameters.find("transformer_encoder.layers.8000.norm2.bias"), std::out_of_range);
}
