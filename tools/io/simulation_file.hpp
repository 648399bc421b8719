// tools/io/simulation_file.hpp: generated data as an HDF5 file that our own reader and those of others take.
#pragma once

#include <filesystem>
#include <string>

#include <ndt/data/simulation.hpp>

#include "hdf5_writer.hpp"

namespace tool {

/// LFADS' names: {train,valid}_data [trials, observed bins, neurons], {train,valid}_truth of the same shape,
/// conversion_factor (truth divided by it is counts per bin), {train,valid}_inds (numbers of trials, from 0),
/// condition_labels_{train,valid} (from 0), dt (the width of a bin in seconds) and, if there is any,
/// {train,valid}_behavior [trials, observed bins, dims].
///
/// Where neurons are held out or bins are forward, also NLB's names, for the same trials ("eval" is valid):
/// {train,eval}_spikes_{heldin,heldout}[_forward], eval_behavior, {train,eval}_cond_idx [conditions, trials] (numbers
/// within the split) and psth. In train_data the held-out neurons are the last ones, and forward bins are left out: the
/// two layouts share train_behavior, which has the observed bins.
///
/// Returns the SHA-256 of all values, by the names of their datasets: name, rank, sizes, then every value as 64 bits,
/// little-endian: integers in two's complement, floats as IEEE double. Equal values give an equal hash on every
/// machine; of the bytes of the file that is not promised.
std::string write_simulation(const std::filesystem::path& path, const ndt::data::Simulation& simulation,
                             const Attributes& attributes);

}  // namespace tool
