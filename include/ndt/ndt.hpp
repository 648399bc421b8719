// ndt/ndt.hpp: the Neural Data Transformer at inference time. No heap, no exceptions, no locks, no system calls.
#pragma once

#include "ndt/config.hpp"
#include "ndt/kernels/activation.hpp"
#include "ndt/model/config.hpp"
#include "ndt/model/cost.hpp"
#include "ndt/model/transformer.hpp"
#include "ndt/model/weights.hpp"
#include "ndt/readout/config.hpp"
#include "ndt/readout/fingerprint.hpp"
#include "ndt/readout/readout.hpp"
#include "ndt/stream/decoder.hpp"
#include "ndt/stream/latency.hpp"
#include "ndt/stream/recalibration.hpp"
