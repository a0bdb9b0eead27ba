"""Several works in one transaction of the store, when there is more to do than can be done at once.

works     who waits together is done together (`DbInterface.transact_jointly`)
session   their transaction: what several of them ask at the same time is one question
touches   none of them may see or write what another one has written
matching  which documents of a joint answer are whose
collection  the driver's collection, as one of them has it
"""
