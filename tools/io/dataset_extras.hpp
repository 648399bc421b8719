// tools/io/dataset_extras.hpp: what a file may have besides the counts: true rates, behaviour, conditions, PSTHs.
#pragma once

#include <ndt/data/dataset.hpp>

#include "dataset_files.hpp"

namespace tool {

/// Adds it to `all`, whose counts are there already and say what everything else must fit.
void read_extras(const DatasetFiles& files, const DatasetOptions& options, ndt::data::Dataset& all);

}  // namespace tool
