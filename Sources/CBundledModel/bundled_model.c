#include "bundled_model.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char model[] = {
#embed "bundled.safetensors"
};

static const unsigned char detector[] = {
#embed "detector.safetensors"
};

const void *bundled_model(size_t *size) {
  *size = sizeof model;
  return model;
}

const void *bundled_detector(size_t *size) {
  *size = sizeof detector;
  return detector;
}
