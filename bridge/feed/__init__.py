"""How every run ends, found out and announced: the sweep, the watches, and callbacks.

Read from the outside in:

- `feed` takes turns: who owns it (`ownership`, by a `membership`) sends the `patrol` of each namespace when its `beat`
  says so;
- a patrol makes a `sweep` of what has closed (`visibility`, by `windows`; later a `secondlook`) and has its `lookout`
  go through the runs that no sweep finds (`watch`, kept in a `watchlist`);
- `callbacks` come to every process; `leaving` says which ends the sweep leaves to them;
- each has `lookup` read a run (`ends`, with its `reason`) and build what is to be written (`closing`), unless the
  memory of the topics has it (`announced`, of `knownends`); a `batch` is what the owner writes at once.
"""
