"""A Ray cluster of two nodes on this machine, in a process of its own: `python ray_nodes.py`, ended by end of input.

Prints one line of JSON: the address, and the process of the second node's raylet, to be killed.
"""

import json
import sys

from ray.cluster_utils import Cluster

NODE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


def main() -> None:
    """Start both nodes, and end them with the input."""
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    second = cluster.add_node(**NODE)
    (raylet,) = second.all_processes["raylet"]
    print(json.dumps({"address": cluster.address, "raylet": raylet.process.pid}), flush=True)
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
