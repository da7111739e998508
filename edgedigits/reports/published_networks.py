"""Published networks of these sizes on the 10,000 MNIST test images, for `edgedigits models plot`."""

from dataclasses import dataclass

GITHUB = "https://github.com"


@dataclass(frozen=True)
class Published:
    """One published network.

    Attributes:
        accuracy, parameters: as published, 0..1; some only as a bound or an approximation.
        source: an address, or a page of docs/.
        how: conditions that matter in a comparison.
        bytes: size of the int8 file of our reproduction, see docs/published.md.
    """

    name: str
    label: str
    accuracy: float
    parameters: int
    source: str
    how: str
    bytes: int | None = None


FLOAT = "float32"
BEST_EPOCH = f"{FLOAT}, the best epoch by the test images"

PUBLISHED = (
    Published("Neural Golfing", "575", 0.98, 575, "https://hexhowells.com/posts/neural-golfing.html", FLOAT),
    Published(
        "Parameter-Efficient-MNIST", "697", 0.9903, 697, f"{GITHUB}/JoshWarn/Parameter-Efficient-MNIST",
        f"{BEST_EPOCH} of the best of some 700 trainings",
    ),
    Published(
        "Parameter-Efficient-MNIST", "997", 0.9876, 997, f"{GITHUB}/JoshWarn/Parameter-Efficient-MNIST",
        f"{BEST_EPOCH}, mean of 223 trainings; the best of them 99.06%",
    ),
    Published(
        "mnist-minimal-model", "1,936", 0.991, 1_936, f"{GITHUB}/ruslangrimov/mnist-minimal-model", FLOAT,
    ),
    Published("MNIST-Challenge", "3,077", 0.9736, 3_077, f"{GITHUB}/aknakshay/MNIST-Challenge", FLOAT),
    Published("P-CapsNets", "3,888", 0.99, 3_888, "https://arxiv.org/abs/1912.08367", f"{FLOAT}, more than this"),
    Published("MNIST-Challenge", "4,967", 0.9842, 4_967, f"{GITHUB}/aknakshay/MNIST-Challenge", FLOAT),
    Published(
        "MNIST-CNN-COLAB", "6,188", 0.9954, 6_188, f"{GITHUB}/nagalakshmi-nimmagadda/MNIST-CNN-COLAB", BEST_EPOCH,
    ),
    Published("ERAv4S6", "7,070", 0.994, 7_070, f"{GITHUB}/nitin-vig/ERAv4S6", f"{FLOAT}, more than this"),
    Published("MNIST-Challenge", "8,640", 0.992, 8_640, f"{GITHUB}/aknakshay/MNIST-Challenge", FLOAT),
    Published(
        "BitNetMCU", "BitNetMCU", 0.9955, 33_088, f"{GITHUB}/cpldcpu/BitNetMCU/blob/main/docs/documentation_cnn.md",
        "weights of 2, 4 and 8 bits, 11 KB; images of 16x16; the best of several widths by the test images",
    ),
    Published(
        "plain-3conv", "plain-3conv", 0.989, 93_322, "published.md", FLOAT, bytes=106_358,
    ),
    Published(
        "No Routing Needed Between Capsules", "best single network", 0.9983, 1_500_000,
        "https://arxiv.org/abs/2001.09136", "float32, the best of several trainings",
    ),
)  # fmt: skip
