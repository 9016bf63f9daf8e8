"""The certificate: which events of a consumer are independent of each other, found by trying every order and fault."""

from eachonce_workbench.certify.independence import assert_independent

__all__ = ["assert_independent"]
