"""A Ray cluster of two nodes on this machine, in a process of its own: python ray_two_nodes.py PORT.

Says in a line of JSON how to connect and which process is whose raylet, and ends when its standard input does.
"""

import json
import os
import sys

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}

from ray.cluster_utils import Cluster


def main() -> None:
    """Run until standard input ends."""
    nodes = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**nodes, "ray_client_server_port": int(sys.argv[1])})
    cluster.add_node(**nodes)
    raylets = [node.all_processes["raylet"][0].process.pid for node in (cluster.head_node, *cluster.worker_nodes)]
    print(json.dumps({"address": cluster.address, "raylets": raylets}), flush=True)
    sys.stdin.read()
    cluster.shutdown()


main()
