"""Calls of a contract's typed services from its text alone: no generated code."""

from parley.contract.service import ContractMethod, ContractService, contract_services

__all__ = ["ContractMethod", "ContractService", "contract_services"]
