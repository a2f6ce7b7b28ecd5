"""The engine's SQL, one statement per constant. Its hot path: few statements per plan, whatever the number of rows.

Every statement that lets something leave, or records what came back, is gated on `lane_epoch`: a lane that lost its
lock can no longer write. Due times compare with the database's clock only.
"""
