#pragma once

#include <stddef.h>

/// A safetensors file; see docs/model-card.md.
const void *_Nonnull bundled_model(size_t *_Nonnull size);

/// The weights of the detector of players, a safetensors file; see docs/measurements/detection.md.
const void *_Nonnull bundled_detector(size_t *_Nonnull size);
