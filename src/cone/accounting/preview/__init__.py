"""What would be sent, before anything is: the lane's own plan over records that needn't be in the outbox yet.

Nothing is written there and nothing is asked: what stands in our database and was read of the company decides. Where
only a look there could tell, an outlook says so. `outlook` foresees one record (pure), `reading` finds the records,
`summary` counts them for pages and the API.
"""
