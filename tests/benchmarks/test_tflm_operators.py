"""The table of TensorFlow Lite Micro's operators, from a header and kernels written as theirs are."""

import pytest

from benchmarks.tflm_operators import methods_of, types_of

HEADER = """
  TfLiteStatus AddConv2D(
      const TFLMRegistration& registration = Register_CONV_2D()) {
    return AddBuiltin(BuiltinOperator_CONV_2D, registration, ParseConv2D);
  }
  TfLiteStatus AddDelay() {
    return AddCustom("SignalDelay", tflite::tflm_signal::Register_DELAY());
  }
  TfLiteStatus AddFill(
      const TFLMRegistration& registration = tflite::Register_FILL()) {
    return AddBuiltin(
        BuiltinOperator_FILL, registration, ParseFill);
  }
"""

KERNELS = """
bool IsFloat(const TfLiteType type) {
  return type == kTfLiteFloat32;
}

TfLiteStatus SinEval(TfLiteContext* context, TfLiteNode* node) {
  return IsFloat(1) ? kTfLiteOk : kTfLiteError;
}

TfLiteStatus AbsEval(TfLiteContext* context, TfLiteNode* node) {
  if (type == kTfLiteInt8) { return kTfLiteOk; }
  return SinEval(context, node);
}

TFLMRegistration Register_SIN() {
  return tflite::micro::RegisterOp(nullptr, nullptr, SinEval);
}

TFLMRegistration Register_ABS() {
  return tflite::micro::RegisterOp(nullptr, nullptr, AbsEval);
}

TFLMRegistration Register_SHAPE() {
  return kTfLiteInt32;
}
"""


def test_methods_are_those_of_builtin_operators() -> None:
    assert methods_of(HEADER) == {"CONV_2D": "AddConv2D", "FILL": "AddFill"}


def test_types_are_those_of_the_functions_that_a_kernel_reaches() -> None:
    assert types_of("SIN", [KERNELS]) == {"FLOAT32"}
    assert types_of("ABS", ["", KERNELS]) == {"FLOAT32", "INT8"}


def test_a_kernel_that_names_no_type_of_numbers_takes_any() -> None:
    assert types_of("SHAPE", [KERNELS]) == set()


def test_an_operator_without_a_kernel_is_an_error() -> None:
    with pytest.raises(ValueError, match="COS"):
        types_of("COS", [KERNELS])
