"""Settings of Kafka: every mistake is named by its variable, and no secret is ever shown."""

from pathlib import Path

import pytest

from arrears.shared.kafka.settings import BadSetting, KafkaSettings

ONE = {"ARREARS_KAFKA": "broker:9092"}
SASL = {
    **ONE,
    "ARREARS_KAFKA_SECURITY": "sasl_tls",
    "ARREARS_KAFKA_USER": "intake",
    "ARREARS_KAFKA_PASSWORD": "open sesame",
}


class TestFromEnv:
    def test_an_address_is_enough(self) -> None:
        settings = KafkaSettings.from_env({**ONE, "KAFKA_BROKERS": "elsewhere:1"})
        assert settings == KafkaSettings(servers="broker:9092")
        assert settings.connection()["security_protocol"] == "PLAINTEXT"

    def test_sasl_over_tls(self) -> None:
        arguments = KafkaSettings.from_env(SASL).connection()
        assert arguments["security_protocol"] == "SASL_SSL"
        assert arguments["sasl_mechanism"] == "SCRAM-SHA-512"
        assert arguments["sasl_plain_username"] == "intake"
        assert arguments["sasl_plain_password"] == "open sesame"
        assert arguments["ssl_context"].check_hostname

    def test_a_password_may_come_from_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text("from a file\n")
        env = {**SASL, "ARREARS_KAFKA_PASSWORD_FILE": str(file)}
        assert KafkaSettings.from_env(env).password == "from a file"

    def test_three_replicas_ask_for_two_in_sync(self) -> None:
        assert KafkaSettings.from_env({**ONE, "ARREARS_KAFKA_REPLICATION": "3"}).min_insync == 2

    def test_secrets_are_not_shown(self) -> None:
        assert "sesame" not in repr(KafkaSettings.from_env(SASL))

    @pytest.mark.parametrize(
        ("env", "name", "rule"),
        [
            ({}, "ARREARS_KAFKA", "is missing"),
            ({"ARREARS_KAFKA": "broker"}, "ARREARS_KAFKA", "'broker' is not host:port"),
            ({"ARREARS_KAFKA": "a:1,b:99999"}, "ARREARS_KAFKA", "'b:99999' is not host:port"),
            ({**ONE, "ARREARS_KAFKA_SECURTY": "tls"}, "ARREARS_KAFKA_SECURTY", "not a known"),
            ({**ONE, "ARREARS_KAFKA_SECURITY": "ssl"}, "ARREARS_KAFKA_SECURITY", "one of"),
            ({**SASL, "ARREARS_KAFKA_USER": ""}, "ARREARS_KAFKA_USER", "is needed"),
            ({**ONE, "ARREARS_KAFKA_KEY_FILE": "k"}, "ARREARS_KAFKA_CERT_FILE", "is needed"),
            ({**ONE, "ARREARS_KAFKA_REPLICATION": "0"}, "ARREARS_KAFKA_REPLICATION", "1 to 9"),
            ({**ONE, "ARREARS_KAFKA_MIN_INSYNC": "2"}, "ARREARS_KAFKA_MIN_INSYNC", "1 to 1"),
            ({**ONE, "ARREARS_KAFKA_PASSWORD_FILE": "/no"}, "ARREARS_KAFKA_PASSWORD_FILE", "read"),
        ],
    )
    def test_a_mistake_is_named(self, env: dict[str, str], name: str, rule: str) -> None:
        with pytest.raises(BadSetting, match=rule) as raised:
            KafkaSettings.from_env(env)
        assert raised.value.name == name

    def test_certificates_that_cannot_be_read_are_named(self) -> None:
        settings = KafkaSettings(servers="a:1", security="tls", ca_file="/no/such/file")
        with pytest.raises(BadSetting, match="ARREARS_KAFKA_CA_FILE: cannot be read"):
            settings.connection()
