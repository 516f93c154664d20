"""The emulator keeps the documented rules of the SDK. python3 -m unittest test/vcp-emulator/rules_test.py"""
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
SDK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lab/vcp/sdk")
sys.path.insert(0, SDK)
from vcpsdk.behave import VcpException  # noqa: E402
from vcpsdk.vcpsdk import VcpConfigYaml, VcpSDK  # noqa: E402

CONFIG = "vcc:\n    host: 10.0.0.1\n    name: t\n    wait_timeout_sec: %d\nspec_options:\n    add_host:\n        - \"c1:10.77.0.101\"\n"
FLAVOR = "aws:\n    small:\n        instance_type: m5.large\n        volume_size: 16\n"


class Rules(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.environ["VCP_EMULATOR_DIR"] = os.path.join(self.folder.name, "controller")
        os.makedirs(os.environ["VCP_EMULATOR_DIR"])
        self.config = os.path.join(self.folder.name, "config")
        os.makedirs(self.config)
        self.write("vcp_config.yml", CONFIG % 1000)
        self.write("vcp_flavor.yml", FLAVOR)
        self.behave()

    def write(self, name, text):
        with open(os.path.join(self.config, name), "w") as file:
            file.write(text)

    def behave(self, **rules):
        with open(os.path.join(os.environ["VCP_EMULATOR_DIR"], "behaviour.json"), "w") as file:
            json.dump(dict({"noise": False, "poll": 0.02}, **rules), file)

    def sdk(self):
        return VcpSDK("emulated-token", config_dir=self.config)

    def unit(self, *addresses, **rules):
        self.behave(**rules)
        sdk = self.sdk()
        group = sdk.get_ugroup("g") or sdk.create_ugroup("g")
        spec = sdk.get_spec("aws", "small")
        spec.ip_addresses = list(addresses)
        return group, group.create_unit("u", spec)

    def test_the_token_is_checked_at_once(self):
        with self.assertRaisesRegex(VcpException, r"http_status\(403\)[^$]*VCPAuthException"):
            VcpSDK("wrong", config_dir=self.config)
        self.assertEqual(self.sdk().authority()["user_role"], "regular")

    def test_what_is_absent_is_none(self):
        sdk = self.sdk()
        self.assertIsNone(sdk.get_ugroup("g"))
        group = sdk.create_ugroup("g")
        self.assertEqual(group.state, "RUNNING")
        self.assertIsNone(group.get_unit("u"))

    def test_configuration(self):
        self.assertEqual(VcpConfigYaml(self.config).load_config("vcp_config")["vcc"]["host"], "10.0.0.1")
        self.write("vcp_config.yml", "vcc:\n\thost: x\n")
        with self.assertRaisesRegex(ValueError, "line 2"):
            self.sdk()

    def test_a_spec_takes_the_key_as_base64_and_the_options_of_the_file(self):
        spec = self.sdk().get_spec("aws", "small")
        self.write("key.pub", "ssh-ed25519 AAAA\n")
        spec.set_ssh_pubkey(os.path.join(self.config, "key.pub"))
        name, _, value = spec.params_e[0].partition("=")
        self.assertEqual((name, base64.b64decode(value)), ("AUTHORIZED_KEYS", b"ssh-ed25519 AAAA\n"))
        self.assertEqual((spec.num_nodes, spec.volume_size, spec.add_host), (1, 16, ["c1:10.77.0.101"]))
        with self.assertRaises(KeyError):
            self.sdk().get_spec("aws", "tiny")

    def test_create_waits_or_not(self):
        group, unit = self.unit("10.77.0.101", boot=0.2)
        self.assertEqual([node.state for node in unit.find_nodes()], ["RUNNING"])
        group.delete_units("u", force=True)
        spec = self.sdk().get_spec("aws", "small")
        spec.ip_addresses = ["10.77.0.101"]
        unit = group.create_unit("u", spec, wait_for=False)
        self.assertEqual((unit.state, group.state), ("BOOTING", "APPLYING"))
        group.wait_unit_applied("u")
        self.assertEqual((unit.state, group.state), ("RUNNING", "RUNNING"))

    def test_a_creation_outlives_its_time_limit(self):
        self.write("vcp_config.yml", CONFIG % 0)
        with self.assertRaises(TimeoutError):
            self.unit("10.77.0.101", boot=0.2)
        unit = self.sdk().get_ugroup("g").get_unit("u")
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if unit.state == "RUNNING":
                return
            time.sleep(0.02)
        self.fail("it never ran")

    def test_states_are_kept_for_other_processes(self):
        self.unit("10.77.0.101")
        script = "import sys; sys.path.insert(0, %r); from vcpsdk.vcpsdk import VcpSDK; print(VcpSDK('emulated-token', config_dir=%r).get_ugroup('g').find_ip_addresses())"
        said = subprocess.run([sys.executable, "-c", script % (SDK, self.config)], stdout=subprocess.PIPE, check=True)
        self.assertEqual(said.stdout.decode().strip(), "['10.77.0.101']")

    def test_add_nodes_ignores_the_number_when_addresses_are_given(self):
        _, unit = self.unit("10.77.0.101")
        new = unit.add_nodes(num_add_nodes=5, ip_addresses=["10.77.0.102"], ip_address="10.77.0.103")
        self.assertEqual([node.cloud_instance_address for node in new], ["10.77.0.102", "10.77.0.103"])
        self.assertEqual([node.no for node in unit.find_nodes()], [1, 2, 3])
        self.assertEqual(len(unit.add_nodes(num_add_nodes=2)), 2)

    def test_delete_nodes_takes_one_condition(self):
        _, unit = self.unit("10.77.0.101", "10.77.0.102", "10.77.0.103")
        with self.assertRaisesRegex(VcpException, "only one"):
            unit.delete_nodes(node_no=1, ip_address="10.77.0.101")
        with self.assertRaisesRegex(VcpException, "one node only"):
            unit.delete_nodes(ip_addresses=["10.77.0.101", "10.77.0.102"], wait_for=False)
        unit.delete_nodes(ip_addresses=["10.77.0.101", "10.77.0.102"])
        self.assertEqual(unit.find_ip_addresses(), ["10.77.0.103"])
        unit.delete_nodes()
        self.assertEqual(unit.find_nodes(), [])

    def test_find_nodes_is_an_and_of_conditions(self):
        group, unit = self.unit("10.77.0.101", "10.77.0.102")
        node = unit.find_nodes(ip_address="10.77.0.102")[0]
        self.assertEqual(node.no, 2)
        self.assertEqual(group.find_nodes(node_id=node.id, mapper=lambda one: one.no), [2])
        self.assertEqual(group.find_nodes(node_id=node.id, node_no=1), [])
        self.assertEqual(group.find_nodes(unit_name="other"), [])
        self.assertEqual(len(group.find_nodes(ip_addresses=["10.77.0.101"], ip_address="10.77.0.102")), 2)

    def test_a_unit_with_nodes_goes_only_by_force(self):
        group, _ = self.unit("10.77.0.101")
        with self.assertRaisesRegex(VcpException, "has nodes"):
            group.delete_units("u")
        group.delete_units("u", force=True)
        self.assertIsNone(group.get_unit("u"))

    def test_cleanup_takes_the_group_along(self):
        group, _ = self.unit("10.77.0.101")
        group.cleanup()
        self.assertIsNone(self.sdk().get_ugroup("g"))

    def test_failures(self):
        for state in ("ERROR", "CONTAINER_ERROR", "HOST_ERROR"):
            group, unit = self.unit("10.77.0.101", boot_fails={"10.77.0.101": [state, "InvalidClientTokenId: no"]})
            self.assertEqual((unit.state, group.state, unit.find_nodes()[0].state), ("ERROR", "ERROR", state))
            self.assertIn("HAS ERROR", str(unit))
            group.delete_units("u", force=True)

    def test_addresses(self):
        group, _ = self.unit("10.77.0.101")
        spec = self.sdk().get_spec("aws", "small")
        for address, words in (("10.77.0.101", "in use"), ("10.9.9.9", "does not fall within")):
            self.behave(network="10.77.0.0/24")
            spec.ip_addresses = [address]
            with self.assertRaisesRegex(VcpException, words):
                group.create_unit("v", spec)

    def test_a_serial_controller_refuses_while_applying(self):
        group, _ = self.unit("10.77.0.101")
        spec = self.sdk().get_spec("aws", "small")
        self.behave(serial=True, boot=30)
        group.create_unit("v", spec, wait_for=False)
        with self.assertRaisesRegex(VcpException, "APPLYING"):
            group.create_unit("w", spec, wait_for=False)

    def test_node_commands(self):
        mark = os.path.join(self.folder.name, "mark")
        start = ["sh", "-c", "cat > %s" % mark]
        _, unit = self.unit("10.77.0.101", node_start=start, node_stop=["rm", mark])
        with open(mark) as file:
            about = json.load(file)
        self.assertEqual((about["ip"], about["unit"], about["group"]), ("10.77.0.101", "u", "g"))
        unit.delete_nodes()
        self.assertFalse(os.path.exists(mark))
        _, unit = self.sdk().get_ugroup("g"), self.sdk().get_ugroup("g").get_unit("u")
        self.behave(node_start=["false"])
        unit.add_nodes(ip_addresses=["10.77.0.102"])
        self.assertEqual(unit.find_nodes()[0].state, "CONTAINER_ERROR")

    def test_a_worker_runs_the_commands_for_clients_that_cannot(self):
        mark = os.path.join(self.folder.name, "mark")
        start, stop = ["sh", "-c", "cat > %s" % mark], ["rm", mark]
        self.behave(node_start=start, node_stop=stop, worker=True, boot=0)
        sdk = self.sdk()
        group = sdk.create_ugroup("g")
        spec = sdk.get_spec("aws", "small")
        spec.ip_addresses = ["10.77.0.101"]
        unit = group.create_unit("u", spec, wait_for=False)
        self.assertEqual([node.state for node in unit.find_nodes()], ["BOOTING"])
        self.assertFalse(os.path.exists(mark))
        with subprocess.Popen([sys.executable, "-m", "vcpsdk.worker"], env=dict(os.environ, PYTHONPATH=SDK)) as worker:
            try:
                group.wait_unit_applied("u")
                self.assertEqual([node.state for node in unit.find_nodes()], ["RUNNING"])
                self.assertTrue(os.path.exists(mark))
                group.delete_units("u", force=True)
                self.assertFalse(os.path.exists(mark))
            finally:
                worker.kill()

    def test_time_is_what_the_clock_file_says(self):
        clock = os.path.join(os.environ["VCP_EMULATOR_DIR"], "clock")
        for at, state in (("100", "BOOTING"), ("129.9", "BOOTING"), ("130", "RUNNING")):
            with open(clock, "w") as file:
                file.write(at)
            if at == "100":
                self.behave(boot=30)
                group = self.sdk().create_ugroup("g")
                spec = self.sdk().get_spec("aws", "small")
                spec.ip_addresses = ["10.77.0.101"]
                group.create_unit("u", spec, wait_for=False)
            self.assertEqual([node.state for node in group.find_nodes()], [state], at)


if __name__ == "__main__":
    unittest.main()
