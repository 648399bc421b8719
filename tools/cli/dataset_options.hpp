// tools/cli/dataset_options.hpp: which datasets of a file are read, as the commands that score behaviour are told.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "../io/dataset.hpp"
#include "../io/refused.hpp"
#include "command.hpp"

namespace tool {

/// DATA, --group, --target and --target-group; `options` lives as long as the command.
inline void add_dataset_options(CLI::App& command, std::string& data, DatasetOptions& options) {
  command.add_option("DATA", data, "an HDF5 file in the LFADS, lfads-torch or NLB layout")->required();
  command.add_option("--group", options.group, "the group of DATA to read")->check(group_name)->type_name("NAME");
  command.add_option("--target", options.target, "a file with what DATA keeps back (NLB target file)")
      ->check(some_name)
      ->type_name("FILE");
  command.add_option("--target-group", options.target_group, "its group")->check(group_name)->type_name("NAME");
}

/// Of those that cannot go together, before any work is done.
inline void require_sense(const DatasetOptions& options) {
  if (!options.target_group.empty() && options.target.empty()) {
    throw Refused("--target-group without --target", "command line", "--target FILE.h5 --target-group NAME");
  }
}

}  // namespace tool
