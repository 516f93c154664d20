"""Import for its side effect, as the SDK's: log lines `YYYY-MM-DD HH:MM:SS,mmm - LEVEL - text`, on standard output."""
import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s - %(levelname)s - %(message)s")
