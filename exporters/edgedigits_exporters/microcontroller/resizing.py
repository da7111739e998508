"""Give a fully convolutional `.tflite` model another height and width, as LiteRT resizes it."""

import dataclasses

from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.tflite import check_model
from edgedigits_runtime.untrusted.tflite_model import StoredModel, StoredTensor, format_shape


def resized(model: StoredModel, size: tuple[int, int]) -> StoredModel:
    """Return a model for pictures of a height and width; all that its operators make gets the shape that follows.

    Raises:
        ArtifactCorrupt, ArtifactUnsupported: see check_model; or the input is not a batch of one picture.
    """
    made = {index for operator in model.operators for index in operator.outputs}

    def freed(tensor: StoredTensor) -> StoredTensor:
        if tensor.index in made:
            return dataclasses.replace(tensor, signature=(-1,) * len(tensor.shape))
        if tensor.index not in model.inputs:
            return tensor
        if len(tensor.shape) != 4 or tensor.shape[0] != 1:
            raise ArtifactUnsupported(
                f"{model.source} takes {format_shape(tensor.shape)}, expected [1, height, width, channels];"
                " give the finder's .tflite file"
            )
        return dataclasses.replace(tensor, shape=(1, *size, tensor.shape[3]), signature=())

    free = dataclasses.replace(model, tensors=tuple(map(freed, model.tensors)))
    shapes = check_model(free).shapes
    tensors = (
        dataclasses.replace(tensor, shape=shapes[tensor.index] or tensor.shape, signature=())
        if tensor.index in made
        else tensor
        for tensor in free.tensors
    )
    return dataclasses.replace(free, tensors=tuple(tensors))
