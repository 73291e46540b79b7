"""The types of parley.thrift, under the name by which stubs of a contract that includes it import them.

So stubs made without the compiler's -r need no parley folder of their own.
"""

from parley._gen.ttypes import *  # noqa: F403
