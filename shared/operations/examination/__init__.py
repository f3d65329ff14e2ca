"""What operators are told about clients.

Warnings when they change one, findings of `ostiary doctor`, and the weaknesses of `ostiary client posture`.
"""
