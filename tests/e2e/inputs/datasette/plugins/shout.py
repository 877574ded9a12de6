from datasette import hookimpl

@hookimpl
def prepare_connection(conn):
    conn.create_function("shout", 1, str.upper)
