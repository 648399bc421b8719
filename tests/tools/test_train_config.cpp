// Configurations of training runs: the reference's own, ours, and what must be refused.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "../../tools/io/nearest.hpp"
#include "../../tools/io/train_config.hpp"
#include "../../tools/io/yaml_entries.hpp"
#include "../support/catch.hpp"
#include "says.hpp"

namespace {

namespace fs = std::filesystem;
using ndt::data::MaskMode;
using ndt::train::Schedule;
using support::refusal;
using support::says;
using tool::RunConfig;

RunConfig from_yaml(const std::string& text) { return tool::make_run_config(tool::parse_yaml(text, "run.yaml")); }
RunConfig from_settings(const std::vector<std::string>& settings) { return tool::read_run_config({}, settings); }
std::string yaml_refusal(const std::string& text) {
  return refusal([&] { from_yaml(text); });
}
std::string setting_refusal(const std::vector<std::string>& settings) {
  return refusal([&] { from_settings(settings); });
}

TEST_CASE("without a word the reference's defaults hold", "[tools][train_config]") {
  const RunConfig run = from_settings({});
  CHECK(run.train == ndt::train::TrainConfig{});
  CHECK(run.model == ndt::ModelConfig{});
  CHECK_FALSE(run.train.reproduce);
  CHECK(run.train.seed == 100);
  CHECK(run.train.batch_size == 64);
  CHECK(run.train.patience == 750);
  CHECK(run.train.mask.ratio == 0.2);
  CHECK(run.train.warmup == 1000);
}

TEST_CASE("sections become keys, and comments and quotes are read as YAML has them", "[tools][train_config]") {
  const RunConfig run = from_yaml(
      "# a comment\n"
      "SEED: 7\n"
      "MODEL:\n"
      "  NUM_LAYERS: 4 # as for the benchmark\n"
      "  ACTIVATION: 'gelu'\n"
      "  DECODER:\n"
      "    LAYERS: 2\n"
      "  POSITION: {OFFSET: False}\n"
      "  TRIAL_LENGTH: 0\n"
      "TRAIN:\n"
      "  LR:\n"
      "    INIT: 5.0e-3\n"
      "    SCHEDULE: false\n"
      "  MASK_MODE: \"timestep_only\"\n"
      "  WEIGHT_DECAY: 0\n"
      "NDT:\n"
      "  REPRODUCE: yes\n");
  CHECK(run.train.seed == 7);
  CHECK(run.model.layers == 4);
  CHECK(run.model.activation == ndt::Activation::gelu);
  CHECK(run.model.decoder_layers == 2);
  CHECK_FALSE(run.model.position_offset);
  CHECK(run.train.learning_rate == 5e-3);
  CHECK_FALSE(run.train.scheduled);
  CHECK(run.train.mask.mode == MaskMode::timestep_only);
  CHECK(run.train.weight_decay == 0.0);
  CHECK(run.train.reproduce);
}

TEST_CASE("files are merged in their order, and overrides come last", "[tools][train_config]") {
  const support::TemporaryFolder folder;
  support::write(folder / "a.yaml", "SEED: 1\nTRAIN:\n  BATCH_SIZE: 8\n  PATIENCE: 3\n");
  support::write(folder / "b.yaml", "TRAIN:\n  BATCH_SIZE: 9\n");
  RunConfig run = tool::read_run_config({folder / "a.yaml", folder / "b.yaml"}, {});
  CHECK(run.train.batch_size == 9);
  CHECK(run.train.patience == 3);
  run = tool::read_run_config({folder / "b.yaml", folder / "a.yaml"}, {"SEED=5", "TRAIN.LR.SCHEDULER=invsqrt"});
  CHECK(run.train.batch_size == 8);
  CHECK(run.train.seed == 5);
  CHECK(run.train.schedule == Schedule::inverse_sqrt);
  CHECK(says(refusal([&] { tool::read_run_config({folder / "none.yaml"}, {}); }), "none.yaml", "cannot open"));
  support::write(folder / "c.yaml", "SEED: 1\n\nTRAIN:\n  BATCHSIZE: 9\n");
  CHECK(says(refusal([&] { tool::read_run_config({folder / "c.yaml"}, {}); }), "TRAIN.BATCHSIZE is unknown",
             "c.yaml line 4", "the nearest is TRAIN.BATCH_SIZE"));
}

TEST_CASE("keys of the reference without a meaning here change nothing", "[tools][train_config]") {
  for (const char* key : {"TRAIN.LOG_INTERVAL", "DATA.LOG_EPSILON", "DATA.TEST_FILENAME", "VARIANT"}) {
    INFO(key);
    CHECK(from_settings({std::string(key) + "=7"}).train == ndt::train::TrainConfig{});
  }
}

TEST_CASE("values are of their key's type", "[tools][train_config]") {
  const auto refused = [](const char* setting) { return !setting_refusal({setting}).empty(); };
  for (const char* right :
       {"TRAIN.LR.INIT=1", "TRAIN.LR.INIT=1e-3", "TRAIN.LR.INIT=.5", "TRAIN.LR.INIT=+0.5", "TRAIN.LR.INIT=1.",
        "MODEL.CONTEXT_FORWARD=-1", "MODEL.TRIAL_LENGTH=-1", "SEED=0", "MODEL.PRE_NORM=True", "MODEL.PRE_NORM=off",
        "VARIANT=x", "TRAIN.TUNE_HP_JSON=./a.json", "SYSTEM.NUM_GPUS=4", "MODEL.NAME=NeuralDataTransformer",
        "MODEL.LOSS.TYPE=poisson", "DATA.DATAPATH=/some where/a=b"}) {
    INFO(right);
    CHECK_FALSE(refused(right));
  }
  for (const char* wrong : {"TRAIN.LR.INIT=True",
                            "TRAIN.LR.INIT=",
                            "TRAIN.LR.INIT=nan",
                            "TRAIN.LR.INIT=inf",
                            "TRAIN.LR.INIT=1e999",
                            "TRAIN.LR.INIT=0x1p-3",
                            "TRAIN.LR.INIT=1e-3 ",
                            "TRAIN.LR.INIT=--1",
                            "TRAIN.LR.INIT=1,5",
                            "TRAIN.BATCH_SIZE=64.0",
                            "TRAIN.BATCH_SIZE=1e2",
                            "TRAIN.BATCH_SIZE=-64",
                            "TRAIN.BATCH_SIZE=064",
                            "TRAIN.BATCH_SIZE=99999999999",
                            "TRAIN.BATCH_SIZE=True",
                            "MODEL.PRE_NORM=1",
                            "MODEL.PRE_NORM=0",
                            "MODEL.PRE_NORM=tRUE",
                            "TRAIN.MASK_MODE=bins",
                            "TRAIN.MASK_MODE=Full",
                            "TRAIN.LR.SCHEDULER=constant",
                            "MODEL.ACTIVATION=tanh",
                            "SEED=-1",
                            "SEED=1.5",
                            "MODEL.CONTEXT_FORWARD=1.0",
                            "TRAIN=3",
                            "TRAIN.LR=1e-3"}) {
    INFO(wrong);
    CHECK(refused(wrong));
  }
  CHECK(
      says(setting_refusal({"MODEL.PRE_NORM=1"}), "MODEL.PRE_NORM is 1", "command line", "True or False is expected"));
  CHECK(says(setting_refusal({"TRAIN.MASK_MODE=bins"}), "full, timestep, neuron, timestep_only"));
  CHECK(says(setting_refusal({"TRAIN.LR=1e-3"}), "a section with keys such as TRAIN.LR.INIT"));
  CHECK(says(setting_refusal({"SEED"}), "KEY=VALUE is expected"));
  CHECK(says(setting_refusal({"=5"}), "KEY=VALUE is expected"));
}

TEST_CASE("an unknown key is answered with the nearest known one", "[tools][train_config]") {
  CHECK(says(setting_refusal({"TRAIN.LR.INITT=1"}), "TRAIN.LR.INITT is unknown", "the nearest is TRAIN.LR.INIT"));
  CHECK(says(setting_refusal({"train.batch_size=1"}), "the nearest is TRAIN.BATCH_SIZE"));
  CHECK(says(setting_refusal({"MASK_RATIO=1"}), "the nearest is TRAIN.MASK_RATIO"));
  CHECK(says(setting_refusal({"MODEL.DROPUOT_RATES=1"}), "the nearest is MODEL.DROPOUT_RATES"));
  CHECK(says(setting_refusal({std::string(100000, 'x') + "=1"}), "is unknown"));
  CHECK(says(setting_refusal({"num_neurons=3"}), "is unknown"));  // the data say
  CHECK(tool::edit_distance("", "") == 0);
  CHECK(tool::edit_distance("abc", "") == 3);
  CHECK(tool::edit_distance("kitten", "sitting") == 3);
  CHECK(tool::edit_distance("ABC", "abc") == 0);
}

TEST_CASE("what cannot run or makes no sense is refused, and its neighbours are not", "[tools][train_config]") {
  struct Case {
    const char* wrong;
    const char* right;
    const char* message;
  };
  for (const Case& c : std::vector<Case>{
           {"TRAIN.MASK_RATIO=1.01", "TRAIN.MASK_RATIO=1", "from 0 to 1"},
           {"TRAIN.MASK_RATIO=-0.1", "TRAIN.MASK_RATIO=0", "from 0 to 1"},
           {"TRAIN.MASK_TOKEN_RATIO=2", "TRAIN.MASK_TOKEN_RATIO=1.0", "from 0 to 1"},
           {"TRAIN.MASK_RANDOM_RATIO=-1", "TRAIN.MASK_RANDOM_RATIO=0.0", "from 0 to 1"},
           {"TRAIN.MASK_MAX_SPAN=0", "TRAIN.MASK_MAX_SPAN=1", "1 or more"},
           {"TRAIN.MASK_SPAN_RAMP_END=599", "TRAIN.MASK_SPAN_RAMP_END=600", "TRAIN.MASK_SPAN_RAMP_START, 600, or more"},
           {"MODEL.DROPOUT=1", "MODEL.DROPOUT=0.99", "below 1"},
           {"MODEL.DROPOUT_RATES=-0.1", "MODEL.DROPOUT_RATES=0", "below 1"},
           {"MODEL.DROPOUT_EMBEDDING=1.5", "MODEL.DROPOUT_EMBEDDING=0.5", "below 1"},
           {"MODEL.LOSS.TOPK=0", "MODEL.LOSS.TOPK=0.1", "above 0, at most 1"},
           {"MODEL.LOSS.TYPE=cel", "MODEL.LOSS.TYPE=poisson", "no working forward pass"},
           {"MODEL.NAME=RatesOracle", "MODEL.NAME=NeuralDataTransformer", "the one model"},
           {"MODEL.DECODER.LAYERS=0", "MODEL.DECODER.LAYERS=2", "1, or 2"},
           {"MODEL.DECODER.LAYERS=3", "MODEL.DECODER.LAYERS=1", "1, or 2"},
           {"MODEL.NUM_HEADS=0", "MODEL.NUM_HEADS=3", "1 to 1048576"},
           {"MODEL.NUM_LAYERS=0", "MODEL.NUM_LAYERS=1", "1 to 1048576"},
           {"MODEL.HIDDEN_SIZE=2000000", "MODEL.HIDDEN_SIZE=2000", "1 to 1048576"},
           {"MODEL.EMBED_DIM=2000000", "MODEL.EMBED_DIM=0", "0 to 1048576"},
           {"TRAIN.LR.INIT=0", "TRAIN.LR.INIT=1e-9", "above 0, at most 1"},
           {"TRAIN.LR.INIT=-1e-3", "TRAIN.LR.INIT=1e-3", "above 0, at most 1"},
           {"TRAIN.LR.INIT=50", "TRAIN.LR.INIT=1", "above 0, at most 1"},
           {"TRAIN.WEIGHT_DECAY=-1", "TRAIN.WEIGHT_DECAY=0", "0 or more"},
           {"TRAIN.WEIGHT_DECAY=1000", "TRAIN.WEIGHT_DECAY=999", "less than 1"},
           {"TRAIN.EPS=0", "TRAIN.EPS=1e-12", "from 1e-30 to 1"},
           {"TRAIN.MAX_GRAD_NORM=0", "TRAIN.MAX_GRAD_NORM=1", "from 1e-30"},
           {"TRAIN.BATCH_SIZE=0", "TRAIN.BATCH_SIZE=1", "1 or more"},
           {"TRAIN.NUM_UPDATES=0", "TRAIN.NUM_UPDATES=1", "1 or more"},
           {"TRAIN.VAL_INTERVAL=0", "TRAIN.VAL_INTERVAL=1", "1 or more"},
           {"TRAIN.CHECKPOINT_INTERVAL=0", "TRAIN.CHECKPOINT_INTERVAL=1", "1 or more"},
           {"DATA.RANDOM_SUBSET_TRIALS=0", "DATA.RANDOM_SUBSET_TRIALS=0.01", "to 1"},
           {"NDT.THREADS=0", "NDT.THREADS=2", "1 or more"},
           {"NDT.THREADS=5000", "NDT.THREADS=1024", "at most 1024"},
           {"NDT.BETA1=1", "NDT.BETA1=0.5", "below 1"},
           {"NDT.BETA2=-0.1", "NDT.BETA2=0.95", "below 1"},
       }) {
    INFO(c.wrong);
    const std::string message = setting_refusal({c.wrong});
    CHECK(says(message, std::string(c.wrong).substr(0, std::string(c.wrong).find('=')), "command line", c.message));
    CHECK(std::count(message.begin(), message.end(), '\n') == 0);
    CHECK(setting_refusal({c.right}) == "");
  }
  // The entry that set the value is named, not the last one read.
  CHECK(says(yaml_refusal("TRAIN:\n  MASK_RATIO: 3\n  PATIENCE: 1\n"), "TRAIN.MASK_RATIO is 3, run.yaml line 2"));
  CHECK(says(setting_refusal({"TRAIN.MASK_SPAN_RAMP_START=5000"}), "TRAIN.MASK_SPAN_RAMP_END is 1200", "the default"));
}

TEST_CASE("what stops the reference is refused where it is to be followed", "[tools][train_config]") {
  for (const std::vector<std::string>& settings :
       std::vector<std::vector<std::string>>{{"TRAIN.MASK_MODE=full", "TRAIN.MASK_MAX_SPAN=2"},
                                             {"TRAIN.MASK_MODE=timestep_only", "TRAIN.MASK_MAX_SPAN=2"},
                                             {"TRAIN.MASK_MODE=neuron"},
                                             {"TRAIN.MASK_MAX_SPAN=2", "TRAIN.MASK_SPAN_RAMP_START=1200"},
                                             {"TRAIN.LR.SCHEDULER=invsqrt", "TRAIN.LR.WARMUP=0"},
                                             {"MODEL.CONTEXT_WRAP_INITIAL=True"},
                                             {"MODEL.LINEAR_EMBEDDER=True"}}) {
    INFO(settings[0]);
    CHECK(setting_refusal(settings) == "");
    std::vector<std::string> reproduced = settings;
    reproduced.push_back("NDT.REPRODUCE=True");
    CHECK(says(setting_refusal(reproduced), "NDT.REPRODUCE False"));
  }
  CHECK(setting_refusal({"NDT.REPRODUCE=True"}) == "");
  CHECK(setting_refusal({"NDT.REPRODUCE=True", "TRAIN.MASK_MAX_SPAN=5"}) == "");
  CHECK(setting_refusal({"NDT.REPRODUCE=True", "MODEL.LINEAR_EMBEDDER=True", "MODEL.EMBED_DIM=0"}) == "");
}

TEST_CASE("the data complete a model, or show that it cannot exist", "[tools][train_config]") {
  const tool::DataSizes lorenz{.neurons = 29, .trial_length = 50, .max_spikes = 8};
  const ndt::ModelConfig model = tool::complete(from_settings({}), lorenz, "lorenz.h5");
  CHECK((model.neurons == 29 && model.trial_length == 50 && model.max_spikes == 8 && model.width() == 58));
  const auto completed = [&](const std::vector<std::string>& settings) {
    return refusal([&] { tool::complete(from_settings(settings), lorenz, "lorenz.h5"); });
  };
  CHECK(says(completed({"MODEL.NUM_HEADS=3"}), "heads 3", "lorenz.h5", "a divisor of the width 58 is expected"));
  CHECK(says(completed({"MODEL.EMBED_DIM=0"}), "heads 2", "a divisor of the width 29 is expected"));
  CHECK(says(completed({"MODEL.EMBED_DIM=0", "MODEL.NUM_HEADS=1"}), "even width"));
  CHECK(completed({"MODEL.EMBED_DIM=0", "MODEL.NUM_HEADS=1", "MODEL.LEARNABLE_POSITION=True"}) == "");
  CHECK(completed({"TRAIN.MASK_MAX_SPAN=50"}) == "");
  CHECK(says(completed({"TRAIN.MASK_MAX_SPAN=51"}), "TRAIN.MASK_MAX_SPAN is 51", "at most 50, the bins of a trial"));
  CHECK(says(completed({"TRAIN.MASK_MAX_SPAN=30", "TRAIN.MASK_MODE=neuron"}), "at most 29, the neurons of a trial"));
}

TEST_CASE("YAML that is more than sections and values is refused with its line", "[tools][train_config]") {
  CHECK(says(yaml_refusal("SEED: &a 1\n"), "anchor", "run.yaml line 1"));
  CHECK(says(yaml_refusal("MODEL: &a\n  DROPOUT: 0.1\nTRAIN: *a\n"), "anchor"));
  CHECK(says(yaml_refusal("SEED: 1\nTRAIN:\n  BATCH_SIZE: [1, 2]\n"), "a list", "line 3"));
  CHECK(says(yaml_refusal("- SEED\n"), "a list", "line 1"));
  CHECK(says(yaml_refusal("SEED: !!int 1\n"), "a tag"));
  CHECK(says(yaml_refusal("SEED: !!python/object/apply:os.system [ls]\n"), "line 1"));
  CHECK(says(yaml_refusal("SEED: 1\nSEED: 2\n"), "SEED stands here twice", "line 2"));
  CHECK(says(yaml_refusal("TRAIN:\n  EPS: 1e-8\nSEED: 1\nTRAIN:\n  EPS: 1e-7\n"), "TRAIN stands here twice"));
  CHECK(says(yaml_refusal("TRAIN.EPS: 1e-8\n"), "dot"));
  CHECK(says(yaml_refusal("SEED: 1\n---\nSEED: 2\n"), "a second document", "run.yaml line 2"));
  CHECK(says(yaml_refusal("SEED:\n"), "SEED has no value"));
  CHECK(says(yaml_refusal("TRAIN:\n  LR:\n"), "TRAIN.LR has no value"));
  CHECK(says(yaml_refusal("SEED: null\n"), "SEED has no value"));
  CHECK(says(yaml_refusal("TRAIN:\n\tEPS: 1e-8\n"), "a tab indents", "line 2"));
  CHECK(says(yaml_refusal("SEED: 1\nwords\n"), "run.yaml line 2"));
  CHECK(says(yaml_refusal("words\n"), "single value"));
  CHECK(says(yaml_refusal("{a: {b: {c: {d: {e: 1}}}}}\n"), "too deep"));
  CHECK(says(yaml_refusal("? {a: 1}\n: 2\n"), "a section stands where a key should"));
  CHECK(says(yaml_refusal("<<: {SEED: 1}\n"), "is unknown"));
  CHECK(says(yaml_refusal("SEED: \"1\n"), "run.yaml"));
  CHECK(says(yaml_refusal("%YAML 9.9\n---\nSEED: 1\n"), "run.yaml"));
  CHECK(says(yaml_refusal("SEED: \"1\\n2\"\n"), "SEED is 1?2", "an integer"));
  CHECK(yaml_refusal("# nothing but a comment\n") == "");
  CHECK(yaml_refusal("\xEF\xBB\xBFSEED: 1\r\n") == "");
}

TEST_CASE("hostile YAML is refused, soon", "[tools][train_config]") {
  for (const char* piece : {"[", "{",   "{a: ", "- ", "? ", "a:\n ", "\"", "'", "&a ",  "*a ",   "!",    "!<",
                            "%", "|\n", ">",    ": ", ",",  "]",     "}",  "#", "a: {", "---\n", "\xff", "x"}) {
    INFO(piece);
    for (const std::size_t times : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{20000}}) {
      std::string text;
      for (std::size_t i = 0; i < times; ++i) text += piece;
      const std::string message = yaml_refusal(text);
      CHECK(std::count(message.begin(), message.end(), '\n') == 0);
      const bool harmless = *piece == '#' || (*piece == '-' && times == 1);
      CHECK((!message.empty() || harmless));
    }
  }
  CHECK(says(yaml_refusal(std::string("SEED: 1\n\0TRAIN", 14)), "byte 0", "line 2"));
  CHECK(says(yaml_refusal("\x7f"
                          "ELF"),
             "not text"));
  CHECK(says(yaml_refusal(std::string(300000, '\n')), "300000 bytes"));
  std::string many;
  for (int i = 0; i < 1500; ++i) (many += 'k') += std::to_string(i) + ": 1\n";
  CHECK(says(yaml_refusal(many), "too many keys"));
  CHECK(says(yaml_refusal("!2"), "run.yaml"));
  const support::TemporaryFolder folder;
  support::write(folder / "empty.yaml", "");
  CHECK(says(refusal([&] { tool::read_yaml(folder / "empty.yaml"); }), "empty"));
  fs::create_directory(folder / "folder.yaml");
  CHECK(says(refusal([&] { tool::read_yaml(folder / "folder.yaml"); }), "folder"));
  support::write(folder / "large.yaml", std::string(1 << 19, '#'));
  CHECK(says(refusal([&] { tool::read_yaml(folder / "large.yaml"); }), "bytes"));
}

TEST_CASE("a model's file holds the configuration it was trained with", "[tools][train_config]") {
  const std::vector<std::vector<std::string>> runs = {
      {},
      {"SEED=3", "TRAIN.LR.INIT=0.0012345678901234567", "TRAIN.MASK_MODE=neuron", "NDT.REPRODUCE=False",
       "TRAIN.LR.SCHEDULE=False", "TRAIN.LR.SCHEDULER=invsqrt", "MODEL.LOSS.TOPK=0.5", "MODEL.TRIAL_LENGTH=70"},
  };
  for (const auto& settings : runs) {
    const ndt::train::TrainConfig config = from_settings(settings).train;
    const std::string text = tool::train_config_text(config);
    CHECK(tool::parse_train_config_text(text, "model") == config);
  }
  // Where the data lay is nobody's business.
  const auto config =
      from_settings({"DATA.DATAPATH=/home/somebody", "DATA.TRAIN_FILENAME=x.h5", "NDT.THREADS=7"}).train;
  const std::string text = tool::train_config_text(config);
  CHECK(text == tool::train_config_text({}));
  CHECK(text.find("NUM_UPDATES\":10000") != std::string::npos);
  const auto refused = [](const std::string& t) { return refusal([&] { tool::parse_train_config_text(t, "model"); }); };
  CHECK(tool::parse_train_config_text("{}", "model") == ndt::train::TrainConfig{});
  CHECK(says(refused("{\"SEED\":[1]}"), "SEED is [1]"));
  CHECK(says(refused("{\"SEED\":1,\"X\":1}"), "X is unknown"));
  CHECK(says(refused("[]"), "model"));
  std::string wrong = text;
  wrong.replace(wrong.find("10000"), 5, "10000.0");
  CHECK(says(refused(wrong), "TRAIN.NUM_UPDATES is 10000.0"));
}

TEST_CASE("the configurations that come with ndt are as published", "[tools][train_config]") {
  const fs::path folder = fs::path(NDT_SOURCE_DIR) / "configs";
  const RunConfig lorenz = tool::read_run_config({folder / "lorenz.yaml"}, {});
  CHECK((lorenz.model.layers == 6 && lorenz.model.heads == 2 && lorenz.model.hidden_size == 128));
  CHECK((lorenz.model.pre_norm && lorenz.train.fixup_init && lorenz.model.learnable_position));
  CHECK((lorenz.model.context_forward == 20 && lorenz.model.context_backward == 20));
  CHECK((lorenz.train.dropout == 0.2 && lorenz.train.learning_rate == 1e-3 && !lorenz.train.scheduled));
  CHECK((lorenz.train.mask.ratio == 0.25 && lorenz.train.mask.mode == MaskMode::timestep));
  CHECK(tool::complete(lorenz, {29, 50, 8}, "lorenz").width() == 58);
  const RunConfig chaotic = tool::read_run_config({folder / "chaotic_rnn.yaml"}, {});
  CHECK((!chaotic.model.pre_norm && !chaotic.train.fixup_init));
  CHECK((chaotic.train.learning_rate == 5e-4 && chaotic.train.weight_decay == 1e-4));
  CHECK(tool::complete(chaotic, {50, 100, 8}, "chaotic").width() == 100);
  const RunConfig reach = tool::read_run_config({folder / "reach.yaml"}, {});
  CHECK(reach.train.chop_length == 0);
  for (const auto& entry : fs::directory_iterator(folder)) {
    INFO(entry.path());
    CHECK_NOTHROW(tool::read_run_config({entry.path()}, {}));
  }
}

TEST_CASE("the reference's own configurations are read as they are", "[tools][train_config]") {
  const char* const folder = std::getenv("NDT_REFERENCE_CONFIGS");
  if (folder == nullptr) {
    WARN("skipped: NDT_REFERENCE_CONFIGS names no folder");
    return;
  }
  std::size_t read = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    INFO(entry.path());
    const RunConfig run = tool::read_run_config({entry.path()}, {});
    CHECK(run.train.mask.ratio == 0.25);
    CHECK(run.model.learnable_position);
    ++read;
  }
  CHECK(read > 0);
}

}  // namespace
