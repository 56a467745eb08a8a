"""A model that looks, tries and corrects itself in a sandbox, through pydantic-ai. What it says is believed by nobody."""

from prodwise.repair.agent.repairer import Agent

__all__ = ["Agent"]
