// Seeds for the fuzz targets of the model files: make_seeds FOLDER makes
// FOLDER/{pickle,torch_file,safetensors,config,train_config}.
#include <filesystem>
#include <fstream>
#include <string>

#include "../../tools/io/model_config.hpp"
#include "../../tools/io/safetensors.hpp"
#include "../../tools/io/train_config.hpp"
#include "../support/static_shapes.hpp"
#include "../support/torch_writer.hpp"

namespace {

void save(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::filesystem::path folder = arguments[1];
  int number = 0;
  for (auto change : {+[](ndt::ModelConfig&) {}, +[](ndt::ModelConfig& c) { c.embed_dim = 0, c.neurons = 2; },
                      +[](ndt::ModelConfig& c) { c.embed_dim = 0, c.neurons = 2, c.linear_embedder = true; },
                      +[](ndt::ModelConfig& c) { c.learnable_position = false, c.scale_norm = true; },
                      +[](ndt::ModelConfig& c) { c.decoder_layers = 2, c.activation = ndt::Activation::gelu; }}) {
    ndt::ModelConfig config;
    config.neurons = config.layers = config.hidden_size = config.trial_length = config.max_spikes = 1;
    config.learnable_position = true;
    change(config);
    const std::string name = std::to_string(number++);
    const support::TorchCheckpoint checkpoint(config, number % 2 == 0 ? "Half" : "Float");
    const support::TorchWriter writer = checkpoint.writer();
    tool::ModelFile model = tool::parse_model(writer.zip(), "seed");
    model.name = "seed", model.bin_width = 0.02;
    save(folder / "pickle" / name, writer.pickle.stop());
    save(folder / "torch_file" / (name + "z"), '\0' + writer.zip());
    save(folder / "torch_file" / (name + "d"), '\0' + writer.zip(true));
    save(folder / "torch_file" / (name + "w"), '\0' + support::zip64_bytes(writer.entries(), number % 2 == 0));
    const std::string legacy = writer.legacy();
    save(folder / "torch_file" / (name + "l"), '\0' + legacy);
    // The magic number as protocol 4 has it, in a frame.
    save(folder / "torch_file" / (name + "f"), std::string("\0\x80\4\x95\x0d\0\0\0\0\0\0\0", 12) + legacy.substr(2));
    const std::string pickle = writer.pickle.stop();
    save(folder / "torch_file" / (name + "p"), '\1' + pickle + std::string(pickle.size() / 3, '\0'));
    save(folder / "safetensors" / name, tool::safetensors_bytes(model));
    save(folder / "config" / name, tool::config_text(config));
  }
  save(folder / "train_config" / "text", tool::train_config_text({}));
  save(folder / "train_config" / "lines",
       "SEED=3\nMODEL.NUM_HEADS=1\nMODEL.EMBED_DIM=2\nMODEL.LOSS.TYPE=poisson\nTRAIN.LR.INIT=1e-3\n"
       "TRAIN.LR.SCHEDULER=invsqrt\nTRAIN.MASK_MODE=full\nTRAIN.MASK_MAX_SPAN=4\nNDT.REPRODUCE=True");
  save(folder / "pickle" / "protocol4", std::string("\x80\x04\x95\x1c\0\0\0\0\0\0\0", 11) +
                                            "\x8f\x94(\x8c\1a\x94\x8c\1b\x94\x90"
                                            "0\x8c\x0b"
                                            "collections\x8c\x0bOrderedDict\x93)R.");
  return 0;
}
