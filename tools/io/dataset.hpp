// tools/io/dataset.hpp: recorded or simulated data for training and evaluation, from the HDF5 layouts in use.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include <ndt/data/dataset.hpp>

namespace tool {

struct DatasetOptions {
  std::string group = {};  ///< the group of the file that holds the datasets, such as "mc_maze_20"; empty: the root
  /// Another file with what the first does not have: NLB keeps behaviour, PSTHs and hidden counts apart, in groups.
  std::filesystem::path target = {};
  std::string target_group = {};
  std::optional<double> truth_scale = {};  ///< truth times this is counts per bin, instead of conversion_factor
  bool makes_psth = false;                 ///< PSTHs of all conditions will be made, and must have room
  bool need_train = true;                  ///< false: evaluation alone can do without training trials
  std::size_t least_train = 1;             ///< trials
  std::size_t least_valid = 1;
};

/// The layouts, by the first of these names that is there ("eval" is the validation split):
///   NLB           {train,eval}_spikes_{heldin,heldout}[_forward], or `data` for `spikes`
///   lfads-torch   {train,valid}_encod_data (held-in, observed) and {train,valid}_recon_data (all)
///   LFADS         {train,valid}_data
/// and what may go with any of them, `valid` or `eval`:
///   {train,valid}_truth [trials, bins, neurons] with conversion_factor (truth divided by it is counts per bin; 1 where
///   it is missing), {train,valid}_behavior [trials, bins, dims], {train,valid}_decode_mask [trials(, masks)],
///   {train,valid}_jitter [trials], {train,valid}_inds [trials], condition_labels_{train,valid} [trials] or
///   {train,valid}_cond_idx [conditions, trials] (rows may be ragged), psth [conditions, bins, neurons], dt (seconds).
/// Truth, behaviour and PSTHs may have the observed bins or all of them; kept are the observed ones. Behaviour without
/// bins, one value a trial, is left out.
///
/// Held-out neurons or forward bins that a split does not have are marked as hidden, not zero. Refused, with dataset
/// and place: what is missing (with a list of what is there), shapes that do not fit each other, counts that are no
/// whole numbers from 0 to 65535, rates that are negative or not finite, infinite behaviour (NaN: there is none), too
/// few trials, a target file in which nothing was found that the first file lacks.
ndt::data::Dataset load_dataset(const std::filesystem::path& path, const DatasetOptions& options = {});

}  // namespace tool
