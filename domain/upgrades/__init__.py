"""How a store of an earlier version becomes one of this version, step by step.

The store bears its version (schema_version.py); upgrade.py runs the steps that it lacks, in order,
one process at a time. A step is a file, `step_N_name.py`, with one function; the table in steps.py
names them all. A step may be run again after it broke off anywhere: it leaves alone what it has
done. It is never changed once it was released; what it got wrong is another step.
"""
