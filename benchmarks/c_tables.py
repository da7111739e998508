"""Tables of docs/c.md and benchmarks/results/c_export.md, from c_export.json."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

Figures = dict[str, Any]

PAGE = Path(__file__).parent.parent / "docs" / "c.md"
DETAILS = Path(__file__).parent / "results" / "c_export.md"

FAST, SHORT = "-O3", "-Os"
CORES = {"cortex-m4f": "Cortex-M4F", "cortex-m55": "Cortex-M55", "cortex-m3": "Cortex-M3", "cortex-m0": "Cortex-M0"}
AVR_MEGAHERTZ = 16


@dataclass(frozen=True)
class Aim:
    """An upper limit that the export aims at, and the figures of other libraries on the same emulated core.

    Attributes:
        what: the measured quantity.
        value, most: the figure and the limit.
        unit: of both.
        others: measured before this exporter was written, each with its library's own example.
    """

    what: str
    value: float
    most: float
    unit: str
    others: str

    def row(self) -> str:
        digits = 0 if self.most >= 100 else 2
        reached = "yes" if self.value <= self.most else "no"
        value, most = (f"{number:,.{digits}f}{self.unit}" for number in (self.value, self.most))
        return f"| {self.what} | {value} | {most} | {reached} | {self.others} |"


def aims(found: Figures) -> list[Aim]:
    """Return the aims with the measured figures."""
    small, plain, pico, nano = (_network(found, name) for name in ("small", "plain-3conv", "pico", "nano"))
    first = _layers(found, "small", "cortex-m4f")[0]
    wide = [layer for layer in _layers(found, "plain-3conv", "cortex-m55")[1:] if layer["operator"] == "CONV_2D"]
    m4f, slowest = "cortex-m4f", max(found["networks"], key=_host_ratio)
    fast, short = small["bytes"][FAST], nano["bytes"][SHORT]
    return [
        Aim("`plain-3conv`, Cortex-M4F, instructions", _instructions(plain, m4f), 5_200_000, "",
            "CMSIS-NN 6.6 to 6.8 million, TFLite Micro's own kernels 31.7, onnx2c 13.1, naive C 22.9"),
        Aim("`small`, the same", _instructions(small, m4f), 700_000, "",
            "CMSIS-NN 1.33 to 1.39 million, TFLite Micro's own kernels 5.6, onnx2c 1.25, naive C 3.4"),
        Aim("its first convolution, per multiply-accumulate", _each([first]), 4, "", "CMSIS-NN 14.0"),
        Aim("wide convolutions of `plain-3conv`, Cortex-M55, the same", _each(wide), 0.5, "", ""),
        Aim(f"`small`, flash beyond the weights, {FAST}", fast["flash"] - small["weights"], 6 * 1024, " bytes",
            "CMSIS-NN 17 KB, TFLite Micro with it 51 KB, onnx2c 5 KB"),
        Aim("its scratch and stack", _ram(fast), 6 * 1024, " bytes",
            "CMSIS-NN 9.2 KB, TFLite Micro with it 11.7 KB, onnx2c 8.2 KB"),
        Aim(f"`nano`, flash, {SHORT}", short["flash"], 20 * 1024, " bytes", ""),
        Aim(f"its scratch and stack, {SHORT}", _ram(short), 6 * 1024, " bytes", ""),
        Aim(f"`pico`, flash, {SHORT}", pico["bytes"][SHORT]["flash"], 4 * 1024, " bytes",
            "TinyMaix's MNIST model 8.6 to 26 KB"),
        Aim(f"its scratch and stack, {SHORT}", _ram(pico["bytes"][SHORT]), 1.6 * 1024, " bytes", "TinyMaix about 3 KB"),
        Aim(f"this machine, one thread, time relative to LiteRT with XNNPACK, at worst (`{slowest['name']}`)",
            _host_ratio(slowest), 2, "", "naive C 15 to 25, inlined 5 to 9"),
    ]  # fmt: skip


def _instruction_table(found: Figures) -> list[str]:
    columns = [(core, kernels) for core in CORES for kernels in found["networks"][0]["instructions"][core]]
    heads = [CORES[core] + ("" if kernels == "xnnpack" else ", `reference`") for core, kernels in columns]
    rows = [
        [
            f"`{network['name']}`",
            f"{network['multiply_accumulates']:,}",
            *(
                f"{network['instructions'][core][kernels]:,}"
                f" ({network['instructions'][core][kernels] / network['multiply_accumulates']:.2f})"
                for core, kernels in columns
            ),
        ]
        for network in found["networks"]
    ]
    return _table(["network", "multiply-accumulates", *heads], rows)


def _memory_table(found: Figures) -> list[str]:
    rows = []
    for network in found["networks"]:
        cells = [f"`{network['name']}`", f"{network['weights']:,}"]
        for optimisation in (FAST, SHORT):
            sizes = network["bytes"][optimisation]
            cells += [f"{sizes['flash']:,} ({sizes['flash'] - network['weights']:,})"]
            cells += [f"{sizes['scratch']:,} + {sizes['stack']:,}"]
        rows.append([*cells, f"{network['pixels']:,}"])
    heads = [f"{what}, {how}" for how in (FAST, SHORT) for what in ("flash (beyond the weights)", "scratch + stack")]
    return _table(["network", "int8 weights", *heads, "picture"], rows)


def _layer_table(found: Figures) -> list[str]:
    rows = []
    for name in dict.fromkeys(each["name"] for each in found["layers"]):
        four, helium = (_layers(found, name, core) for core in ("cortex-m4f", "cortex-m55"))
        for number, (one, other) in enumerate(zip(four, helium, strict=True), start=1):
            shapes = " to ".join("x".join(map(str, one[border])) for border in ("input", "output"))
            products = one["multiply_accumulates"]
            each = [
                f"{layer['instructions']:,}" + (f" ({_each([layer]):.2f})" if products else "")
                for layer in (one, other)
            ]
            rows.append(
                [f"`{name}` {number}", f"{one['operator']}, {shapes}", f"{products:,}" if products else "", *each]
            )
    return _table(["layer", "what", "multiply-accumulates", "Cortex-M4F", "Cortex-M55"], rows)


def _host_table(found: Figures) -> list[str]:
    rows = [
        [
            f"`{network['name']}`",
            *(f"{network['host'][who]:.1f}" for who in ("c", "litert")),
            f"{_host_ratio(network):.2f}",
        ]
        for network in found["networks"]
    ]
    return _table(["network", "C, µs", "LiteRT, µs", "relative time"], rows)


def tables(found: Figures) -> str:
    """Return instructions and memory as Markdown, for users."""
    avr = found["avr"]
    return "\n".join(
        [
            f"Instructions of `digits_invoke` at {FAST}, and in brackets per multiply-accumulate; `xnnpack` rounding"
            " unless noted. They are instructions of an emulated core, not cycles.",
            "",
            *_instruction_table(found),
            "",
            "Bytes on a Cortex-M4F: flash of the classifier with its constants and the library routines that it calls;"
            " scratch and stack of an inference; a picture that is in memory as a whole adds its size.",
            "",
            *_memory_table(found),
            "",
            f"`{avr['name']}` on an ATmega328P at {AVR_MEGAHERTZ} MHz: {avr['flash']:,} bytes of flash,"
            f" {avr['scratch']:,} of scratch and {avr['stack']:,} of stack; an inference takes {avr['taken']:,} cycles,"
            f" {avr['taken'] / AVR_MEGAHERTZ / 1000:,.0f} ms.",
            "",
            _tools(found),
        ]
    )


def detailed_tables(found: Figures) -> str:
    """Return layers, this machine and aims as Markdown, for those who change the exporter."""
    return "\n".join(
        [
            "The layers one by one, instructions and per multiply-accumulate:",
            "",
            *_layer_table(found),
            "",
            "This machine, one thread, compiled with `-O3 -march=native`, best of many rounds in turn:",
            "",
            *_host_table(found),
            "",
            "Aims. Figures of other libraries are instructions and bytes of the same networks on the same emulated"
            " Cortex-M4F.",
            "",
            "| what | measured | aim, at most | reached | others |",
            "|---|---|---|---|---|",
            *(aim.row() for aim in aims(found)),
            "",
            _tools(found),
        ]
    )


def _tools(found: Figures) -> str:
    machine, tools = found["machine"], found["tools"]
    return (
        f"Measured on {machine['processor']}, {machine['cores']} cores;"
        f" arm-none-eabi-gcc {tools.get('gcc-arm-none-eabi', 'of another system')}, avr-gcc"
        f" {tools.get('gcc-avr', 'of another system')}, QEMU {tools.get('qemu-system-arm', 'of another system')},"
        f" {tools['host']}."
    )


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]


def _network(found: Figures, name: str) -> Figures:
    network: Figures = next(network for network in found["networks"] if network["name"] == name)
    return network


def _layers(found: Figures, name: str, core: str) -> list[Figures]:
    layers: list[Figures] = next(
        each["layers"] for each in found["layers"] if (each["name"], each["core"]) == (name, core)
    )
    return layers


def _instructions(network: Figures, core: str) -> float:
    return float(network["instructions"][core]["xnnpack"])


def _each(layers: list[Figures]) -> float:
    instructions, products = (sum(layer[what] for layer in layers) for what in ("instructions", "multiply_accumulates"))
    return float(instructions / products)


def _ram(sizes: Figures) -> float:
    return float(sizes["scratch"] + sizes["stack"])


def _host_ratio(network: Figures) -> float:
    return float(network["host"]["c"] / network["host"]["litert"])
