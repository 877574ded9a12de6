"""Models, relations, queries, events, dialects and their plugins on SQLite, with threads, pools, pickles and C parts."""

from __future__ import annotations

import asyncio
import datetime
import pickle
import threading
from importlib import util

import sqlalchemy as sa
from sqlalchemy import event, orm
from sqlalchemy.dialects import mysql, oracle, postgresql
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.util import langhelpers


class Base(orm.DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(30), index=True)
    born: orm.Mapped[datetime.date | None]
    data: orm.Mapped[dict[str, object]] = orm.mapped_column(sa.JSON(), default=dict)
    posts: orm.Mapped[list[Post]] = orm.relationship(
        back_populates="author", cascade="all, delete-orphan", order_by="Post.id"
    )

    @hybrid_property
    def initial(self) -> str:
        return self.name[:1]

    @initial.inplace.expression
    @classmethod
    def _initial(cls) -> sa.ColumnElement[str]:
        return sa.func.substr(cls.name, 1, 1)


class Post(Base):
    __tablename__ = "posts"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str]
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("users.id"))
    author: orm.Mapped[User] = orm.relationship(back_populates="posts")


def main() -> None:
    print(
        sa.__version__,
        [
            util.find_spec(name).origin
            for name in ("sqlalchemy.engine._row_cy", "sqlalchemy.util._collections_cy")
            if util.find_spec(name)
        ],
        langhelpers.__name__,
    )
    engine = sa.create_engine("sqlite:///file.db")
    statements: list[str] = []
    event.listen(
        engine,
        "before_cursor_execute",
        lambda conn, cursor, statement, *rest: statements.append(" ".join(statement.split())),
    )
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add_all(
            [
                User(
                    name="ada",
                    born=datetime.date(1815, 12, 10),
                    posts=[Post(title="one"), Post(title="two")],
                    data={"k": [1]},
                ),
                User(name="bob"),
            ]
        )
        session.commit()
        found = session.scalars(
            sa.select(User).where(User.initial == "a").options(orm.selectinload(User.posts))
        ).one()
        print(found.name, [post.title for post in found.posts], found.data, found.born)
        print(
            session.execute(
                sa.select(User.name, sa.func.count(Post.id))
                .outerjoin(Post)
                .group_by(User.name)
                .order_by(User.name)
            ).all()
        )
        number = sa.func.row_number().over(order_by=User.name.desc()).label("n")
        print(session.execute(sa.select(User.name, number)).mappings().all(), session.get(User, 9))
        session.delete(found)
        session.commit()
        print(session.scalar(sa.select(sa.func.count()).select_from(Post)))
        session.add(User(id=2, name="again"))
        try:
            session.commit()
        except sa.exc.IntegrityError as error:
            print(str(error).splitlines()[0])
    print(statements)
    query = sa.select(User).where(User.name.ilike("a%"), sa.func.length(User.name) > 1).limit(3)
    for dialect in (postgresql.dialect(), mysql.dialect(), oracle.dialect()):
        print(dialect.name, query.compile(dialect=dialect))
    row = pickle.loads(
        pickle.dumps(sa.create_engine("sqlite://").connect().execute(sa.text("select 1 a, 'x' b")).one())
    )
    print(
        row,
        row.a,
        row._mapping["b"],
        sa.inspect(engine).get_columns("users")[1]["name"],
        sa.inspect(engine).get_indexes("users"),
    )
    for url in ("postgresql://u@h/d", "nonsense://x"):
        try:
            sa.create_engine(url)
        except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
            print(type(error).__name__, error)
    seen: list[int] = []
    threads = [threading.Thread(target=lambda n=n: seen.append(_add(engine, n))) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    print(
        sorted(seen), asyncio.run(_spawned(engine)), sa.URL.create("sqlite", database="ü").render_as_string()
    )


def _add(engine: sa.Engine, number: int) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.literal(number) * 2))


async def _spawned(engine: sa.Engine) -> object:
    from sqlalchemy.util import greenlet_spawn

    return await greenlet_spawn(_add, engine, 21)
