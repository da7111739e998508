"""Names of devices, and the devices tried with each kind of wheel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits_runtime.engines.devices import CPU, NUMBERED, PROVIDERS, Device, candidates, parse_device
from edgedigits_runtime.errors import DeviceUnavailable, UnknownName

wheels = st.lists(st.sampled_from([name for name in PROVIDERS.values() if name != CPU]), unique=True).map(
    lambda names: [*names, CPU]
)


@given(kind=st.sampled_from(sorted(PROVIDERS)), number=st.integers(0, 99))
def test_a_device_has_the_name_that_users_type(kind: str, number: int) -> None:
    device = Device(kind, number if kind in NUMBERED else 0)
    assert parse_device(device.name) == device
    assert parse_device(kind) == Device(kind)


@pytest.mark.parametrize(
    "text", ["", "gpu", "npu", "CUDA", "cuda:", "cuda:x", "cuda:-1", "cuda:1:2", "cpu:0", "cuda:²"]
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(UnknownName, match="auto, cpu, cuda, "):
        parse_device(text)


@given(built=wheels)
def test_auto_tries_built_devices_and_the_cpu_last(built: list[str]) -> None:
    tried = candidates("auto", built)
    assert tried[-1] == Device("cpu")
    assert {device.provider for device in tried} <= set(built)
    assert (tried[0] == Device("cuda")) == (PROVIDERS["cuda"] in built)


@given(built=wheels, kind=st.sampled_from(sorted(PROVIDERS)))
def test_a_named_device_is_the_only_one_that_is_tried(built: list[str], kind: str) -> None:
    if PROVIDERS[kind] in built:
        assert candidates(kind, built) == [Device(kind)]
    else:
        with pytest.raises(DeviceUnavailable, match=f"{kind}.*cpu"):
            candidates(kind, built)
