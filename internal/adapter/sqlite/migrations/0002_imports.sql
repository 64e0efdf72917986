-- Which archives this instance has taken in, or is taking in. An import that was cut short goes on with the same archive
-- and no other, and nobody serves an instance of which a half is missing.
create table imports (
    archive text    not null,
    done    integer not null,
    constraint imports_pk primary key (archive)
) strict, without rowid;
