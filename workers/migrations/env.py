"""Run by alembic: apply revisions on the connection that `workers.migrations.upgrade` hands over."""

from alembic import context

from workers import migrations, schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    version_table=migrations.VERSION_TABLE,
    transactional_ddl=True,
)
context.run_migrations()
